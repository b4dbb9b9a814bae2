/*
 * provost - the SASL server plugin libprovost.so
 *
 * Offers PLAIN and LOGIN to the program that loads it, but only where that
 * program's SASL configuration sets provost_path; elsewhere it offers nothing,
 * so that every other program on the host keeps the mechanisms it had. Likewise
 * the auxprop "provost" has something to say only where provost_auxprop is on.
 *
 * The file has to be called libprovost.so, and lies in libsasl2's directory.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SASLPLUGIN_PROVOST_H
#define SASLPLUGIN_PROVOST_H

#include <sasl/sasl.h>

#include <sasl/saslplug.h>

/* The two names that libprovost.so exports; see sasl/saslplug.h. */
extern sasl_server_plug_init_t sasl_server_plug_init
    __attribute__((visibility("default")));
extern sasl_auxprop_init_t sasl_auxprop_plug_init
    __attribute__((visibility("default")));

#endif
