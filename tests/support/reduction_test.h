/* What tests of runner/reduction.h check whoever makes the MPI calls: a thread, or the computing thread
 * itself. */
#ifndef ADAPT_TESTS_SUPPORT_REDUCTION_TEST_H
#define ADAPT_TESTS_SUPPORT_REDUCTION_TEST_H

/* Starts MPI with this level of threads, runs all tests and ends MPI; the program's exit status. */
int reduction_tests(int argc, char **argv, int thread_level);

#endif
