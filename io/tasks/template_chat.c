/* The turns of a chat, as the model families' own templates write them. */
#include "io/tasks/template.h"

#include <string.h>

const char *const template_chat_names[] = {"none", "chatml", "llama3", "gemma", NULL};

struct chat {
    const char *begin;                     /* before everything */
    const char *open, *role[3], *role_end; /* before a turn's content: open, role, role_end */
    const char *end, *between;             /* behind it: the supervised end token, and what follows */
    const char *special[4];                /* tokens that must exist, besides `end` */
    bool trims;
    bool system_joins_user; /* there is no turn for a system message */
};

static const struct chat chats[] = {
    [TEMPLATE_CHATML] = {.begin = "",
                         .open = "<|im_start|>",
                         .role = {"system", "user", "assistant"},
                         .role_end = "\n",
                         .end = "<|im_end|>",
                         .between = "\n",
                         .special = {"<|im_start|>"}},
    [TEMPLATE_LLAMA3] = {.begin = "<|begin_of_text|>",
                         .open = "<|start_header_id|>",
                         .role = {"system", "user", "assistant"},
                         .role_end = "<|end_header_id|>\n\n",
                         .end = "<|eot_id|>",
                         .between = "",
                         .special = {"<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>"},
                         .trims = true},
    [TEMPLATE_GEMMA] = {.begin = "<bos>",
                        .open = "<start_of_turn>",
                        .role = {NULL, "user", "model"},
                        .role_end = "\n",
                        .end = "<end_of_turn>",
                        .between = "\n",
                        .special = {"<bos>", "<start_of_turn>"},
                        .trims = true,
                        .system_joins_user = true},
};

static int require_token(enum template_chat chat, const struct tokenizer *tokenizer, const char *token,
                         int32_t *id, struct error *err) {
    *id = tokenizer_token_id(tokenizer, token);
    if (*id >= 0) return 0;
    return error_set(err, ERROR_INPUT, "chat template \"%s\": the tokenizer has no token \"%s\"",
                     template_chat_names[chat], token);
}

int template_chat_check(enum template_chat chat, const struct tokenizer *tokenizer, int32_t *end_id,
                        struct error *err) {
    if (chat == TEMPLATE_NONE) return 0;
    int32_t id;
    for (int i = 0; i < 4 && chats[chat].special[i]; i++) {
        TRY(require_token(chat, tokenizer, chats[chat].special[i], &id, err));
    }
    TRY(require_token(chat, tokenizer, chats[chat].end, &id, err));
    *end_id = id;
    return 0;
}

static int append_content(const struct chat *chat, const char *content, struct text *out, struct error *err) {
    size_t length = strlen(content);
    if (chat->trims) { /* as Jinja's trim */
        static const char space[] = " \t\n\r\v\f";
        size_t skipped = strspn(content, space);
        content += skipped;
        length -= skipped;
        while (length && strchr(space, content[length - 1])) length--;
    }
    return text_append(out, content, length, err);
}

static int open_turn(const struct chat *chat, enum template_role role, struct text *out, struct error *err) {
    TRY(text_append_string(out, chat->open, err));
    TRY(text_append_string(out, chat->role[role], err));
    return text_append_string(out, chat->role_end, err);
}

int template_chat_render(enum template_chat which, const struct template_message *messages, int count,
                         bool generate, struct text *out, struct error *err) {
    if (which == TEMPLATE_NONE)
        return error_set(err, ERROR_INPUT, "messages need a chat template, and it is \"none\"");
    const struct chat *chat = &chats[which];
    TRY(text_append_string(out, chat->begin, err));
    const char *system = NULL; /* waits for the first user's turn */
    for (int i = 0; i < count; i++) {
        enum template_role role = messages[i].role;
        if (role == TEMPLATE_SYSTEM && i > 0) {
            return error_set(err, ERROR_INPUT, "a system message may only be the first (it is message %d)",
                             i + 1);
        }
        if (role == TEMPLATE_SYSTEM && chat->system_joins_user) {
            system = messages[i].content;
            continue;
        }
        TRY(open_turn(chat, role, out, err));
        if (system) {
            TRY(text_append_string(out, system, err));
            TRY(text_append_string(out, "\n\n", err));
            system = NULL;
        }
        TRY(append_content(chat, messages[i].content, out, err));
        TRY(text_append_string(out, chat->end, err));
        TRY(text_append_string(out, chat->between, err));
    }
    if (system) return error_set(err, ERROR_INPUT, "a system message without a user's message behind it");
    return generate ? open_turn(chat, TEMPLATE_ASSISTANT, out, err) : 0;
}

int template_chat_encode(enum template_chat chat, const struct template_message *messages, int count,
                         bool generate, struct tokenizer *tokenizer, struct token_list *out,
                         struct error *err) {
    struct text text = {0};
    int code = template_chat_render(chat, messages, count, generate, &text, err);
    if (!code) code = tokenizer_encode(tokenizer, text_string(&text), text.length, false, out, err);
    text_free(&text);
    return code;
}

int template_chat_completion(enum template_chat chat, const char *content, struct text *out,
                             struct error *err) {
    return append_content(&chats[chat], content, out,
                          err); /* the row of TEMPLATE_NONE is all zero: no trimming */
}

int template_chat_opening(enum template_chat chat, struct text *out, struct error *err) {
    if (chat == TEMPLATE_NONE) return 0;
    TRY(text_append_string(out, chats[chat].begin, err));
    return open_turn(&chats[chat], TEMPLATE_USER, out, err);
}
