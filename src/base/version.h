/* SPDX-License-Identifier: BSD-2-Clause */
/* What this was built from. */
#ifndef NETPROBE_BASE_VERSION_H
#define NETPROBE_BASE_VERSION_H

/* As dist/version says: "0.2.0", or "0.2.0+12.g1a2b3c4" between releases. */
extern const char version_text[];

#endif
