/* What squeue and sbatch say: text and JSON of Slurm 22.05 (recorded), JSON as of 23.11, and what is neither.
 */
#include "io/file.h"
#include "runner/report/status_queue.h"
#include "runner/sweep/sweep.h"
#include "slurm/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void is_job(const struct queue_job *job, long long id, const char *tasks, const char *state,
                   const char *nodes, const char *reason) {
    assert_int_equal(job->id, id);
    assert_string_equal(job->tasks, tasks);
    assert_string_equal(job->state, state);
    assert_string_equal(job->nodes, nodes);
    assert_string_equal(job->reason, reason);
}

static void test_text(void **state) {
    (void)state;
    static const char text[] =
        "15|1-3%1|PENDING||JobArrayTaskLimit\n15|0|RUNNING|n1|None\n7|N/A|COMPLETING|n[1-2]|None\n";
    struct queue queue = {0};
    struct error err;
    assert_int_equal(queue_parse_text(text, strlen(text), &queue, &err), 0);
    assert_int_equal(queue.count, 3);
    is_job(&queue.jobs[0], 15, "1-3%1", "PENDING", "", "JobArrayTaskLimit");
    is_job(&queue.jobs[1], 15, "0", "RUNNING", "n1", "");
    is_job(&queue.jobs[2], 7, "", "COMPLETING", "n[1-2]", "");
    queue_free(&queue);
    assert_int_equal(queue_parse_text("", 0, &queue, &err), 0);
    assert_int_equal(queue.count, 0);
    static const char *const bad[] = {
        "x|0|RUNNING|n1|None", "15",
        "15|0|RUNNING",        "15|0||n1|None",
        "0|0|RUNNING|n|r",     "slurm_load_jobs error: Unable to contact slurm controller"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(queue_parse_text(bad[i], strlen(bad[i]), &queue, &err), ERROR_INPUT);
        assert_int_equal(queue.count, 0);
    }
    queue_free(&queue);
}

static void test_json(void **state) {
    (void)state;
    static const char new[] =
        "{\"jobs\": [{\"job_id\": 21, \"array_job_id\": {\"set\": true, \"infinite\": false, \"number\": "
        "20}, "
        "\"array_task_id\": {\"set\": true, \"infinite\": false, \"number\": 4}, \"array_task_string\": "
        "\"\", "
        "\"job_state\": [\"RUNNING\", \"COMPLETING\"], \"nodes\": \"n2\", \"state_reason\": \"None\"},"
        "{\"job_id\": 20, \"array_job_id\": {\"set\": true, \"number\": 20}, \"array_task_id\": {\"set\": "
        "false, "
        "\"number\": 0}, \"array_task_string\": \"5-9\", \"job_state\": [\"PENDING\"], \"nodes\": \"\", "
        "\"state_reason\": \"Priority\"}, {\"job_id\": 3, \"job_state\": [\"COMPLETED\"]}]}";
    struct queue queue = {0};
    struct error err;
    if (queue_parse_json(new, strlen(new), &queue, &err)) fail_msg("%s", err.message);
    assert_int_equal(queue.count, 2);
    is_job(&queue.jobs[0], 20, "4", "RUNNING", "n2", "");
    is_job(&queue.jobs[1], 20, "5-9", "PENDING", "", "Priority");
    queue_free(&queue);

    struct text recorded = {0};
    if (file_read(TEST_SOURCE_DIR "/golden/slurm/squeue_22.05.json", 1 << 20, &recorded, &err))
        fail_msg("%s", err.message);
    if (queue_parse_json(recorded.data, recorded.length, &queue, &err)) fail_msg("%s", err.message);
    assert_int_equal(queue.count, 3);
    is_job(&queue.jobs[0], 15, "0", "RUNNING", "n1", "");
    is_job(&queue.jobs[1], 16, "", "PENDING", "", "Dependency");
    is_job(&queue.jobs[2], 15, "1-3%1", "PENDING", "", "JobArrayTaskLimit");
    queue_free(&queue);
    text_free(&recorded);

    static const char *const bad[] = {"",
                                      "[]",
                                      "{}",
                                      "{\"jobs\": 1}",
                                      "{\"jobs\": [1]}",
                                      "{\"jobs\": [{\"job_id\": 1}]}",
                                      "{\"jobs\": [{\"job_id\": -1, \"job_state\": \"RUNNING\"}]}",
                                      "squeue: error"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(queue_parse_json(bad[i], strlen(bad[i]), &queue, &err), ERROR_INPUT);
    queue_free(&queue);
}

static void test_task_count(void **state) {
    (void)state;
    assert_int_equal(queue_task_count(""), 1);
    assert_int_equal(queue_task_count("0"), 1);
    assert_int_equal(queue_task_count("1-3%1"), 3);
    assert_int_equal(queue_task_count("1,4-7,9%2"), 6);
    assert_int_equal(queue_task_count("1-9:2"), 5);
    assert_int_equal(queue_task_count("1-3,..."), 3);
    assert_int_equal(queue_task_count("N/A"), 1);
    assert_int_equal(queue_task_count("9-1"), 1);
}

static void test_submitted(void **state) {
    (void)state;
    char id[QUEUE_ID_BYTES];
    assert_true(queue_parse_submitted("123\n", id));
    assert_string_equal(id, "123");
    assert_true(queue_parse_submitted("sbatch: warning: 9 lives\n77;cluster\n", id));
    assert_string_equal(id, "77");
    assert_false(queue_parse_submitted("", id));
    assert_false(queue_parse_submitted("sbatch: error: Batch job submission failed: Invalid account\n", id));
    assert_false(queue_parse_submitted("123 jobs\n", id));
}

static void test_status(void **state) {
    (void)state;
    static const char text[] =
        "15|1-3%1|PENDING||JobArrayTaskLimit\n15|0|RUNNING|n1|None\n15|7|RUNNING|n1|None\n"
        "8|N/A|RUNNING|n1|None\n16|N/A|PENDING||Dependency\n15|9|PENDING||JobArrayTaskLimit\n";
    struct queue queue = {0};
    struct text out = {0};
    struct error err;
    assert_int_equal(queue_parse_text(text, strlen(text), &queue, &err), 0);
    assert_int_equal(status_queue_text(&queue, "15 sweep\n16 collect\n", &out, &err), 0);
    assert_string_equal(text_string(&out), "queue: job 15: 4 array tasks pending (JobArrayTaskLimit)\n"
                                           "queue: job 15: 2 array tasks running on n1\n"
                                           "queue: job 16: pending (Dependency)\n");
    text_free(&out);
    queue_free(&queue);
    assert_true(sweep_has_job("1 sweep\n23 collect\n", 23));
    assert_false(sweep_has_job("1 sweep\n23 collect\n", 2));
    assert_false(sweep_has_job("", 2));
    assert_false(sweep_has_job("garbage\n\n 5", 5));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_text), cmocka_unit_test(test_json),
                                       cmocka_unit_test(test_task_count), cmocka_unit_test(test_submitted),
                                       cmocka_unit_test(test_status)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
