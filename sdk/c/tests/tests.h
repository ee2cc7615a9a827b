/* The tests of the library, each a file. */
#ifndef TESTS_H
#define TESTS_H

#include "shipway_testing.h"

void test_text(void);
void test_json(void);
void test_model(void);
void test_calls(void);
void test_host(void);

#endif
