/* login_choice - see login_choice.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "login_choice.h"

#include "address.h"
#include "strbuf.h"

#include <string.h>
#include <strings.h>

static bool other_names(const struct directory_settings *set)
{
    return set->login_fields.count > 1 ||
           (set->login_fields.count == 1 &&
            strcmp(set->login_fields.items[0], set->username_field) != 0);
}

void login_choose(const struct settings *settings, const char *name,
                  const struct store_found *found,
                  struct login_choice *choice_r)
{
    const struct account *account = &found->account;
    const char *domain = found->domain.name;
    const struct directory_settings *set;

    *choice_r = (struct login_choice){.set = NULL};
    if (account->address != NULL && account->directory != NULL) {
        choice_r->set = settings_directory(settings, account->directory);
        choice_r->decision =
            (struct decision){LOGIN_TEMPORARY, "directory_not_configured"};
        if (choice_r->set == NULL)
            errtext_set(&choice_r->text, "directory %s is not in the settings",
                        account->directory);
        return;
    }
    choice_r->decision = (struct decision){
        LOGIN_WRONG, domain != NULL ? "unknown_user" : "unknown_domain"};
    if (domain == NULL)
        choice_r->set =
            settings_directory_of_login(settings, address_domain_of(name));
    set = settings_directory_for(
        settings, domain != NULL ? domain : address_domain_of(name));
    if (choice_r->set == NULL && set != NULL &&
        (domain != NULL || other_names(set)))
        choice_r->set = set;
}

/* True if the first len bytes of name are the directory's windows_domain. */
static bool claims(const struct directory_settings *set, const char *name,
                   size_t len)
{
    return len > 0 && strlen(set->windows_domain) == len &&
           strncasecmp(name, set->windows_domain, len) == 0;
}

/* The part of a bare name that the directory knows; NULL: none. */
static const char *own_name(const struct settings *settings,
                            const struct directory_settings *set,
                            const char *name)
{
    const char *back = strchr(name, '\\');
    size_t len = back != NULL ? (size_t)(back - name) : 0;

    if (back == NULL)
        return name;
    if (claims(set, name, len))
        return back[1] != '\0' ? back + 1 : NULL;
    for (size_t i = 0; i < settings->directory_count; i++) {
        if (claims(&settings->directories[i], name, len))
            return NULL;
    }
    return set->windows_domain[0] == '\0' ? name : NULL;
}

enum status login_search_name(const struct settings *settings,
                              const struct directory_settings *set,
                              const char *name, const struct store_found *found,
                              char **searched_r, struct errtext *err)
{
    struct strbuf text = STRBUF_INIT(2 * ADDRESS_BYTES_MAX);
    const char *own = own_name(settings, set, name);

    if (found->account.address != NULL) {
        strbuf_append(&text, found->account.address);
    } else if (found->domain.name != NULL) {
        strbuf_append_len(&text, name,
                          (size_t)(address_domain_of(name) - name));
        strbuf_append(&text, found->domain.name);
    } else if (own != NULL) {
        strbuf_append(&text, own);
    } else {
        errtext_set(err, "directory %s has no names of this Windows domain",
                    set->name);
        return STATUS_NOT_FOUND;
    }
    return strbuf_take(&text, searched_r, err);
}
