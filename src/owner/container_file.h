/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of container runtimes, opened so that whoever may write there leads nobody elsewhere: below the descriptor of
 * a folder, through no link, regular files of at most CONTAINER_FILE_MAX bytes alone.
 */
#ifndef NETPROBE_OWNER_CONTAINER_FILE_H
#define NETPROBE_OWNER_CONTAINER_FILE_H

#include <jansson.h>
#include <stddef.h>

#include "owner/container_mount.h"

#define CONTAINER_FILE_MAX (1U << 20)

/* The folder itself may be a link: it is the machine's. root: "" but in tests. A descriptor, or -errno. */
int container_folder_open(const char *root, const char *folder);
/* The JSON in the file below, "a/b/c.json", of which no part may be a link, or ".."; NULL: there is none. */
json_t *container_file_load(int folder, const char *below);
/* The same, open, or -errno; and what is in it. */
int container_file_open(int folder, const char *below);
json_t *container_file_json(int fd);
/*
 * The same for what a user may write and mount: the folder of his, where links of the machine may lead to, and a file
 * in it. -EXDEV: one on the way is of a file system that may never answer.
 */
int container_home_open(struct container_mounts *m, const char *root, const char *home);
int container_home_file(struct container_mounts *m, int home, const char *below);

#endif
