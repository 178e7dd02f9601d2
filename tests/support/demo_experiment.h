/* An experiment on the demonstration's generated data, for tests that train. */
#ifndef ADAPT_TESTS_DEMO_EXPERIMENT_H
#define ADAPT_TESTS_DEMO_EXPERIMENT_H

#include "runner/experiment/experiment.h"
#include "runner/group.h"
#include "runner/cell/loaded_model.h"

/* Makes a fresh folder under $TMPDIR; its path is written to folder[256]. */
int demo_folder(char *folder, struct error *err);

/* Writes FOLDER/experiment.json with one model of the demonstration's data in DATA, and loads it. `training`
 * and `method` are JSON members such as "\"optimizer\": \"sgd\"". One budget of 0.05, seed 1, archive in
 * FOLDER/out. */
int demo_experiment(const char *folder, const char *data, const char *model, const char *training,
                    const char *method, struct experiment **out, struct error *err);

#endif
