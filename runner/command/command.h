/* The subcommands. Each gets its own name as argv[0] and returns the program's exit status: 0 done, 1
 * something failed while running, 2 bad usage or input. */
#ifndef ADAPT_RUNNER_COMMAND_H
#define ADAPT_RUNNER_COMMAND_H

int command_bench(int argc, char **argv);
int command_check(int argc, char **argv);
int command_collect(int argc, char **argv);
int command_eval(int argc, char **argv);
int command_plan(int argc, char **argv);
int command_report(int argc, char **argv);
int command_run(int argc, char **argv);
int command_status(int argc, char **argv);
int command_submit(int argc, char **argv);
int command_tokenize(int argc, char **argv);
int command_version(int argc, char **argv);

#endif
