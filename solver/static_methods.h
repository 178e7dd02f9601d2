/* Mixtures that are fixed by the tasks' sizes: rows of the registry in solver/method.c. */
#ifndef ADAPT_SOLVER_STATIC_METHODS_H
#define ADAPT_SOLVER_STATIC_METHODS_H

#include "solver/method.h"

enum stratified_mixture { STRATIFIED_UNIFORM, STRATIFIED_PROPORTIONAL };

struct temperature_settings {
    double temperature; /* p_k ~ size_k^(1 / temperature): 1 is proportional, large is uniform */
};
struct stratified_settings {
    int mixture; /* enum stratified_mixture */
};

extern const struct method method_uniform, method_proportional, method_temperature, method_stratified;

#endif
