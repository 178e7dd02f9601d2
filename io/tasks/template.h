/* Prompts: the text a task's definition, examples and input are put into, and the turns of a chat around it.
 *
 * A prompt template holds {definition}, {examples} and {input}; {{ and }} stand for braces. A placeholder
 * whose text is empty, at the beginning of the prompt or of a line, takes the line breaks behind it along:
 * with an empty definition,
 * "{definition}\n\n{input}\n" gives "INPUT\n", not two blank lines and then the input. */
#ifndef ADAPT_IO_TEMPLATE_H
#define ADAPT_IO_TEMPLATE_H

#include "base/error.h"
#include "base/text.h"
#include "io/tasks/natural_instructions.h"
#include "io/tokenizer/tokenizer.h"
#include <stdbool.h>
#include <stdint.h>

/* ---- prompts */

/* Checks a template: ERROR_INPUT that names the column of a lone brace or of an unknown placeholder, when
 * {input} is missing, or when `examples` > 0 and {examples} is missing. */
int template_check(const char *source, long long examples, struct error *err);

/* Appends the prompt to `out`. Examples are shown as "Input: ...\nOutput: ...\n\n" each. */
int template_render(const char *source, const char *definition, const struct instructions_example *examples,
                    size_t example_count, const char *input, struct text *out, struct error *err);

/* ---- chats */

enum template_chat {
    TEMPLATE_NONE,   /* no turns: the prompt, then the completion */
    TEMPLATE_CHATML, /* <|im_start|>user\n...<|im_end|>\n: SmolLM2, Qwen (without their default system
                        messages) */
    TEMPLATE_LLAMA3, /* <|start_header_id|>user<|end_header_id|>\n\n...<|eot_id|> (without Llama 3.2's date)
                      */
    TEMPLATE_GEMMA   /* <start_of_turn>user\n...<end_of_turn>\n; a system message goes before the first user's
                        text */
};
extern const char *const template_chat_names[]; /* "none", "chatml", "llama3", "gemma", NULL */

enum template_role { TEMPLATE_SYSTEM, TEMPLATE_USER, TEMPLATE_ASSISTANT };
struct template_message {
    enum template_role role;
    const char *content;
};

/* Checks that the tokenizer knows the special tokens of the chat, each as one token, and sets *end_id to the
 * one that ends a turn. TEMPLATE_NONE needs none and leaves *end_id. ERROR_INPUT names the token that is
 * missing. */
int template_chat_check(enum template_chat chat, const struct tokenizer *tokenizer, int32_t *end_id,
                        struct error *err);

/* Appends the conversation as text, begin token included, as the family's own template renders it (llama3 and
 * gemma trim white space around each content); `generate` opens the assistant's turn at the end. Encode the
 * result without the post-processor (add_special false). A system message may only come first; otherwise, and
 * for TEMPLATE_NONE, ERROR_INPUT. */
int template_chat_render(enum template_chat chat, const struct template_message *messages, int count,
                         bool generate, struct text *out, struct error *err);

/* As template_chat_render, as token ids. */
int template_chat_encode(enum template_chat chat, const struct template_message *messages, int count,
                         bool generate, struct tokenizer *tokenizer, struct token_list *out,
                         struct error *err);

/* Appends what the assistant's turn holds for `content`, without the token that ends the turn. */
int template_chat_completion(enum template_chat chat, const char *content, struct text *out,
                             struct error *err);

/* Appends what a rendered conversation of one user message begins with before the message's own text: what
 * must stay when a prompt is shortened. Nothing for TEMPLATE_NONE. */
int template_chat_opening(enum template_chat chat, struct text *out, struct error *err);

#endif
