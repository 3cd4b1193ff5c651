/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of container runtimes, opened so that whoever may write there leads nobody elsewhere: below the descriptor of
 * a folder, through no link, regular files of at most CONTAINER_FILE_MAX bytes alone.
 */
#ifndef NETPROBE_OWNER_CONTAINER_FILE_H
#define NETPROBE_OWNER_CONTAINER_FILE_H

#include <jansson.h>
#include <stddef.h>

#define CONTAINER_FILE_MAX (1U << 20)

/* The folder itself may be a link: it is the machine's. root: "" but in tests. A descriptor, or -errno. */
int container_folder_open(const char *root, const char *folder);
/* The JSON in the file below, "a/b/c.json", of which no part may be a link, or ".."; NULL: there is none. */
json_t *container_file_load(int folder, const char *below);

#endif
