#include "runner/bench/bench_print.h"

#include "base/machine.h"
#include "base/memory.h"
#include "runner/device.h"
#include <cjson/cJSON.h>

static double rate_of(const struct bench_steps *steps) {
    return steps->operations / steps->total_seconds;
}

static const char *dtype_of(const struct bench_place *place) {
    return device_dtype_names[place->activations == DTYPE_BF16 ? DEVICE_BFLOAT16 : DEVICE_FLOAT32];
}

/* ---- JSON */

static void put(cJSON *object, const char *name, double value) {
    cJSON_AddNumberToObject(object, name, value);
}

static void put_steps(cJSON *object, const char *name, const struct bench_steps *steps, double product_rate) {
    if (!steps->count) return;
    cJSON *o = cJSON_AddObjectToObject(object, name);
    double n = steps->count;
    put(o, "steps", n);
    put(o, "step_seconds", steps->seconds);
    put(o, "tokens_per_s", bench_tokens_rate(steps));
    put(o, "supervised_per_s", steps->supervised / steps->total_seconds);
    put(o, "tokens", steps->tokens / n);
    put(o, "supervised", steps->supervised / n);
    put(o, "validation_tokens", steps->validation_tokens / n);
    put(o, "gflops", rate_of(steps) / 1e9);
    put(o, "product_share", rate_of(steps) / product_rate);
    if (steps->overlap.elements) {
        cJSON *reduction = cJSON_AddObjectToObject(o, "reduction");
        put(reduction, "overlapped_seconds", steps->overlap.overlapped / n);
        put(reduction, "waited_seconds", steps->overlap.waited / n);
        put(reduction, "early_share", (double)steps->overlap.early / (double)steps->overlap.elements);
    }
    cJSON *phase = cJSON_AddObjectToObject(o, "phase_seconds"),
          *timed = cJSON_AddObjectToObject(o, "operation_seconds");
    for (int i = 0; i < PHASE_COUNT; i++)
        put(phase, archive_phase_name((enum archive_phase)i), steps->phase[i] / n);
    for (int i = 0; i < TIMED_COUNT; i++) put(timed, timed_name((enum timed)i), steps->timed[i] / n);
}

int bench_print_json(FILE *out, const struct bench_place *place, const struct bench_result *result,
                     struct error *err) {
    char cpu[MACHINE_NAME_BYTES];
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "work", place->work);
    cJSON_AddStringToObject(o, "model", place->model);
    cJSON_AddStringToObject(o, "method", place->method);
    cJSON_AddStringToObject(o, "device", place->backend);
    machine_cpu(cpu);
    cJSON_AddStringToObject(o, "cpu", cpu);
    cJSON_AddStringToObject(o, "dtype", dtype_of(place));
    cJSON_AddStringToObject(o, "link", place->link);
    put(o, "tasks", place->tasks);
    put(o, "ranks", place->ranks);
    put(o, "threads", place->threads);
    put(o, "product_gflops", result->product_rate / 1e9);
    put(o, "plain_peak_gib", result->plain_memory / (1 << 30));
    put(o, "peak_gib", result->memory / (1 << 30));
    put_steps(o, "plain", &result->plain, result->product_rate);
    put_steps(o, "plain_matching", &result->matching, result->product_rate);
    put_steps(o, "update", &result->update, result->product_rate);
    if (result->interval) {
        put(o, "interval", (double)result->interval);
        put(o, "update_ratio", bench_update_ratio(result));
        put(o, "amortised_ratio", bench_amortised(result));
    }
    char *text = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    if (!text) return error_set(err, ERROR_MEMORY, "no memory for the result's JSON");
    fprintf(out, "%s\n", text);
    cJSON_free(text);
    return 0;
}

/* ---- a table */

static void print_steps(FILE *out, const char *name, const struct bench_steps *steps, double product_rate) {
    if (!steps->count) return;
    double n = steps->count;
    fprintf(out, "%-22s %8.3f s %9.1f %12.1f %9.0f %11.0f %10.1f %8.0f %%\n", name, steps->seconds,
            bench_tokens_rate(steps), steps->supervised / steps->total_seconds, steps->tokens / n,
            steps->validation_tokens / n, rate_of(steps) / 1e9, 100 * rate_of(steps) / product_rate);
}

static void print_operations(FILE *out, const struct bench_result *result) {
    const struct bench_steps *plain = &result->plain, *update = &result->update;
    double plain_other = plain->total_seconds, update_other = update->total_seconds;
    fprintf(out, "\n%-22s %10s %7s %10s %7s\n", "seconds of a step", "plain", "share",
            update->count ? "update" : "", update->count ? "share" : "");
    for (int i = 0; i <= TIMED_COUNT; i++) { /* the last line is what is in no operation */
        bool rest = i == TIMED_COUNT;
        double x = rest ? plain_other : plain->timed[i], y = rest            ? update_other
                                                             : update->count ? update->timed[i]
                                                                             : 0;
        fprintf(out, "%-22s %10.4f %5.1f %%", rest ? "outside" : timed_name((enum timed)i), x / plain->count,
                100 * x / plain->total_seconds);
        if (update->count)
            fprintf(out, " %10.4f %5.1f %%", y / update->count, 100 * y / update->total_seconds);
        fputc('\n', out);
        plain_other -= x;
        update_other -= y;
    }
}

void bench_print_table(FILE *out, const struct bench_place *place, const struct bench_result *result) {
    char cpu[MACHINE_NAME_BYTES];
    machine_cpu(cpu);
    fprintf(out, "%s, %d tasks, %s; %s, %d rank%s of %d threads, %s; %s\n\n", place->model, place->tasks,
            place->work, place->backend, place->ranks, place->ranks == 1 ? "" : "s", place->threads,
            dtype_of(place), cpu);
    fprintf(out, "%-22s %10s %9s %12s %9s %11s %10s %10s\n", "", "median", "tokens/s", "supervised/s",
            "tokens", "validation", "GFLOP/s", "of product");
    print_steps(out, "plain step", &result->plain, result->product_rate);
    print_steps(out, "plain, same examples", &result->matching, result->product_rate);
    print_steps(out, "update step", &result->update, result->product_rate);
    fprintf(out, "%-22s %64s %10.1f\n", "matrix product", "", result->product_rate / 1e9);
    print_operations(out, result);
    const struct reduction_counters *overlap = &result->plain.overlap;
    if (overlap->elements)
        fprintf(
            out,
            "\nsums over the ranks: %.4f s of a plain step beside the backward pass, %.4f s waited for; %.0f %% of the gradient early\n",
            overlap->overlapped / result->plain.count, overlap->waited / result->plain.count,
            100.0 * (double)overlap->early / (double)overlap->elements);
    fprintf(out, "\nmemory of a rank: %.2f GiB", result->plain_memory / (1 << 30));
    if (!result->interval) {
        fputc('\n', out);
        return;
    }
    fprintf(out, ", with update steps %.2f GiB\n", result->memory / (1 << 30));
    fprintf(
        out,
        "%s: an update step costs %.2f of a plain step, per token of training and validation; an update every %lld steps: %.2f of training without\n",
        place->method, bench_update_ratio(result), result->interval, bench_amortised(result));
}
