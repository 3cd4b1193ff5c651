/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows that commands print, field by field (see field.h). */
#include "event/macros.h"

const struct record_type record_types_rows[] = {
	{},
};
