/* ADAPT (Kadasi, Upperwal & Singh 2025, arXiv:2512.04555): the mixture is learned online by meta-gradients of
 * a smooth worst case over the tasks' validation losses, with entropy regularisation.
 *
 *     p(phi)  = (1 - floor) softmax(phi) + floor / K
 *     J(phi)  = T log( (1/K) sum_j exp(v_j(theta - eta sum_k p_k g_k) / T) ) - beta H(p)
 *     dJ/dp_k = -eta < g_k, G > + beta (log p_k + 1),   G = sum_j w_j dv_j/dtheta,   w = softmax(v / T)
 *
 * exact for the one-step unroll; with AdamW as inner optimizer G is multiplied by its preconditioner first,
 * which the caller does. The paper's hyper-parameters are not public: the defaults are ours. */
#ifndef ADAPT_SOLVER_ADAPT_H
#define ADAPT_SOLVER_ADAPT_H

#include "solver/method.h"

enum adapt_update { ADAPT_MIRROR, ADAPT_SOFTMAX };
enum adapt_normalise { ADAPT_NORMALISE_MEAN, ADAPT_NORMALISE_NONE };
enum adapt_optimizer { ADAPT_SGD, ADAPT_ADAM };

struct adapt_settings {
    double temperature; /* T of the outer objective */
    double entropy;     /* beta */
    double floor;       /* part of the mixture that is shared equally, whatever is learned */
    double rate;        /* rho, the step size on the logits */
    double averaging;   /* a of the moving average of alignments (after scaling): a * old + (1 - a) * new */
    long long interval, probe, validation_batch; /* see struct method_signal_plan */
    int objective;                               /* enum worst_case_objective */
    int update;                                  /* enum adapt_update */
    int lookahead;                               /* enum method_lookahead */
    int precondition;                            /* enum method_precondition */
    int normalise;                               /* enum adapt_normalise */
    int optimizer;                               /* enum adapt_optimizer */
};

/* J from the tasks' losses (at theta' to be exact, at theta as the cheap stand-in) and the mixture. */
double adapt_objective(const struct adapt_settings *settings, const struct worst_case *worst_case, int tasks,
                       const double *loss, const double *share);

/* dJ/dp into out[tasks], from the alignments d_k = < g_k, G > of all tasks at learning rate eta. With
 * `normalise: mean`, eta * d is replaced by d / mean |d| (0 where all d are 0), so that neither eta nor the
 * gradients' scale matters to beta and rho. `out` may be `share`. */
void adapt_share_gradient(const struct adapt_settings *settings, int tasks, double learning_rate,
                          const double *alignment, const double *share, double *out);

/* dJ/dphi into out[tasks]: adapt_share_gradient through the floor and the softmax. */
void adapt_logit_gradient(const struct adapt_settings *settings, int tasks, double learning_rate,
                          const double *alignment, const double *logits, double *out);

extern const struct method method_adapt;

#endif
