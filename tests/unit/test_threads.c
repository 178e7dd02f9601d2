/* Threads on CPUs of their own, where the launcher gave the process some of the machine's. */
#include "runner/threads.h"

#include <omp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

enum { THREADS = 2, SKIP = 77 };

static cpu_set_t cores(void) {
    cpu_set_t set;
    assert_int_equal(sched_getaffinity(0, sizeof set, &set), 0);
    return set;
}

/* Only the first CPUs that the process has. */
static cpu_set_t keep(int count) {
    cpu_set_t all = cores(), few;
    CPU_ZERO(&few);
    for (int core = 0; core < CPU_SETSIZE && count > 0; core++)
        if (CPU_ISSET(core, &all)) {
            CPU_SET(core, &few);
            count--;
        }
    assert_int_equal(sched_setaffinity(0, sizeof few, &few), 0);
    return few;
}

static void test_a_cpu_each(void **state) {
    (void)state;
    cpu_set_t few = keep(THREADS), worker;
    assert_false(threads_pin(THREADS + 1)); /* there are not enough */
    assert_true(threads_pin(THREADS));
#pragma omp parallel num_threads(THREADS)
    if (omp_get_thread_num() == 1) worker = cores();
    assert_int_equal(CPU_COUNT(&worker), 1);
    CPU_AND(&worker, &worker, &few);
    assert_int_equal(CPU_COUNT(&worker), 1);
    cpu_set_t mine = cores();
    assert_true(CPU_EQUAL(&mine, &few));
}

static void test_a_whole_machine(void **state) {
    (void)state;
    assert_false(threads_pin(THREADS));
}

int main(void) {
    cpu_set_t all = cores();
    if (CPU_COUNT(&all) <= THREADS || CPU_COUNT(&all) < sysconf(_SC_NPROCESSORS_ONLN)) {
        printf("SKIP: this takes more than %d CPUs, all of the machine's\n", THREADS);
        return SKIP;
    }
    unsetenv("OMP_PROC_BIND");
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_whole_machine),
                                       cmocka_unit_test(test_a_cpu_each)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
