/*
 * Runs test cases of a built plugin in the real host, from a native test
 * program. `shipway` is found by SHIPWAY_PROGRAM, or else on PATH.
 *
 *     shipway_str report;
 *     shipway_testing_begin();
 *     SHIPWAY_EXPECT(shipway_case_run("build/example.wasm", "tests/denied.toml", &report));
 *     shipway_str code;
 *     SHIPWAY_EXPECT(shipway_json_find_string(report, "failure.code", &code));
 *
 * A report is one case of `shipway plugin test --json`: `passed`, `role`,
 * `result`, `failure`, `error`, `log`, `calls`, `requests` and `mismatches`.
 */
#ifndef SHIPWAY_CASE_H
#define SHIPWAY_CASE_H

#include "shipway_testing.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Runs one case, and says whether it passed; on standard error, why not. The
 * report is `null` when the case could not be run at all. */
bool shipway_case_run(const char *component, const char *path, shipway_str *report);

#ifdef __cplusplus
}
#endif

#endif
