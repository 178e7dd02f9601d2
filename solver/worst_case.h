/* The outer objective: a smooth worst case over tasks, J = T log( (1/K) sum_j exp(v_j / T) ), where v_j is
 * task j's loss as the objective looks at it; and the online softmax that lets G = sum_j w_j dv_j/dtheta be
 * accumulated in one pass, without knowing any other task's loss first. */
#ifndef ADAPT_SOLVER_WORST_CASE_H
#define ADAPT_SOLVER_WORST_CASE_H

enum worst_case_objective {
    OBJECTIVE_LOSS,   /* v = L */
    OBJECTIVE_EXCESS, /* v = L - reference */
    OBJECTIVE_RATIO   /* v = L / reference */
};

struct worst_case {
    double temperature;      /* T, finite; 0: the hard worst case; large: the mean */
    int objective;           /* enum worst_case_objective */
    const double *reference; /* [tasks]; NULL for OBJECTIVE_LOSS */
};

/* v_j for a loss, and in *slope (may be NULL) dv_j/dL_j. */
double worst_case_value(const struct worst_case *worst_case, int task, double loss, double *slope);

/* w_j = softmax_j(v_j / T) into weight[tasks] (may be NULL); returns T log mean exp(v / T), exact to rounding
 * for tiny and huge T. At T = 0: the maximum, with the weight shared equally by all that attain it (the limit
 * of the softmax, and what makes the result independent of the tasks' order). */
double worst_case_objective(const struct worst_case *worst_case, int tasks, const double *loss,
                            double *weight);

/* The running sum of exp((v - maximum) / T) (online softmax: Milakov & Gimelshein 2018); start from
 * worst_case_sum_empty. */
struct worst_case_sum {
    double maximum, sum;
};
struct worst_case_sum worst_case_sum_empty(void);
/* Adds value v: what was accumulated so far must be multiplied by *rescale (<= 1), the new term weighs the
 * result. At the end every term has the weight w_j * sum. */
double worst_case_sum_add(struct worst_case_sum *sum, double temperature, double value, double *rescale);
/* The factor that brings a part (another rank's sum) to a common maximum; 0 for an empty part. */
double worst_case_sum_factor(const struct worst_case_sum *part, double temperature, double maximum);

#endif
