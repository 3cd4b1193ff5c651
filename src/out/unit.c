/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Figures for people: "1.5 MiB", "12.4 MB/s", "830 us". Three significant digits, so that columns
 * of them can be compared at a glance. Machines get the plain number instead.
 */
#include <math.h>
#include <stdio.h>

#include "base/buf.h"
#include "out/table.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

struct scale {
	const char *const *names; /* from the smallest on */
	unsigned int n;
	double step;
};

static const char *const byte_names[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
static const char *const rate_names[] = { "B/s", "kB/s", "MB/s", "GB/s", "TB/s", "PB/s", "EB/s" };

static void format_scaled(const struct scale *scale, double v, char *s, unsigned int size)
{
	unsigned int i = 0;

	/* 999.5 would print as 1000: what rounds up to the next name takes it. */
	while (i + 1 < scale->n && v >= scale->step - 0.5) {
		v /= scale->step;
		i++;
	}
	(void)fmt(s, size, i && v < 99.95 ? "%.1f %s" : "%.0f %s", v, scale->names[i]);
}

static void format_time(double usec, char *s, unsigned int size)
{
	if (usec < 999.5)
		(void)fmt(s, size, "%.0f us", usec);
	else if (usec < 999950)
		(void)fmt(s, size, usec < 99950 ? "%.1f ms" : "%.0f ms", usec / 1e3);
	else if (usec < 99.95e6)
		(void)fmt(s, size, "%.1f s", usec / 1e6);
	else if (usec < 1e14)
		(void)fmt(s, size, "%.0f s", usec / 1e6);
	else
		(void)fmt(s, size, "%.3g s", usec / 1e6);
}

void unit_format(uint8_t unit, double v, char *s, unsigned int size)
{
	static const struct scale bytes = { byte_names, COUNT_OF(byte_names), 1024 };
	static const struct scale rate = { rate_names, COUNT_OF(rate_names), 1000 };

	if (!isfinite(v) || v < 0) {
		(void)snprintf(s, size, "-");
		return;
	}
	switch (unit) {
	case UNIT_BYTES:
		format_scaled(&bytes, v, s, size);
		break;
	case UNIT_RATE:
		format_scaled(&rate, v, s, size);
		break;
	case UNIT_USEC:
		format_time(v, s, size);
		break;
	case UNIT_MSEC:
		format_time(v * 1000, s, size);
		break;
	default:
		(void)fmt(s, size, v == floor(v) || v >= 1000 ? "%.0f" : "%.1f", v);
	}
}
