/* The export of the role self-test. */
#include "convert.h"
#include "lifetime.h"

static const exports_shipway_self_test_checks_outcome_t OUTCOMES[] = {
    [SHIPWAY_PASS] = EXPORTS_SHIPWAY_SELF_TEST_CHECKS_OUTCOME_PASS,
    [SHIPWAY_WARN] = EXPORTS_SHIPWAY_SELF_TEST_CHECKS_OUTCOME_WARN,
    [SHIPWAY_FAIL] = EXPORTS_SHIPWAY_SELF_TEST_CHECKS_OUTCOME_FAIL,
    [SHIPWAY_SKIP] = EXPORTS_SHIPWAY_SELF_TEST_CHECKS_OUTCOME_SKIP,
};

static exports_shipway_self_test_checks_report_t lower_report(const shipway_report *report)
{
    exports_shipway_self_test_checks_report_t lowered = {
        .checks = {.len = report->checks.count},
        .attributes = shipway_lower_attributes(&report->attributes),
    };
    lowered.checks.ptr = shipway_new_items(lowered.checks.len, sizeof *lowered.checks.ptr);
    for (size_t i = 0; i < lowered.checks.len; i++) {
        const shipway_check *check = report->checks.items[i];
        lowered.checks.ptr[i] = (exports_shipway_self_test_checks_check_t){
            .name = shipway_lower_text(check->name),
            .outcome = OUTCOMES[check->outcome],
            .message = shipway_lower_text(check->message),
            .duration_ms = check->duration_ms,
            .attributes = shipway_lower_attributes(&check->attributes),
        };
    }
    return lowered;
}

bool exports_shipway_self_test_checks_run(exports_shipway_self_test_checks_deployment_t *deployment,
    exports_shipway_self_test_checks_report_t *ret, exports_shipway_self_test_checks_failure_t *err)
{
    shipway_deployment about = shipway_lift_deployment(deployment);
    shipway_report report = {0};
    shipway_failure *failure = plugin_self_test(&about, &report);
    if (failure)
        *err = shipway_lower_failure(failure);
    else
        *ret = lower_report(&report);
    shipway_lifetime_end();
    return !failure;
}
