/* The export of the role notifier. */
#include "convert.h"
#include "lifetime.h"

bool exports_shipway_notify_notifier_deliver(
    exports_shipway_notify_notifier_event_t *event, exports_shipway_notify_notifier_failure_t *err)
{
    shipway_event happened = {
        .id = shipway_lift_text(event->id),
        .sequence = event->sequence,
        .time = shipway_lift_text(event->time),
        .kind = shipway_lift_text(event->kind),
        .deployment = shipway_lift_deployment(&event->deployment),
        .summary = shipway_lift_text(event->summary),
        .data = shipway_lift_text(event->data),
        .attributes = shipway_lift_attributes(event->attributes),
    };
    shipway_failure *failure = plugin_deliver(&happened);
    if (failure)
        *err = shipway_lower_failure(failure);
    shipway_lifetime_end();
    return !failure;
}
