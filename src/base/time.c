/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Wall clock time as text: RFC 3339 in UTC. The calendar part is made once a second and kept in
 * the buffer; a hundred thousand lines a second share it. Reads no clock.
 */
#include <string.h>

#include "base/buf.h"

#define NSEC_PER_SEC 1000000000ull
#define SECS_PER_DAY 86400

static void put_2(char *p, unsigned int v)
{
	p[0] = (char)('0' + v / 10 % 10);
	p[1] = (char)('0' + v % 10);
}

/*
 * Days since 1970 to year, month, day in the proleptic Gregorian calendar, by eras of 400 years
 * (146097 days) that begin on 1 March. gmtime_r would do, at ten times the cost and with the
 * time zone lock.
 */
static void civil_from_days(uint64_t days, unsigned int *ret_y, unsigned int *ret_m,
			    unsigned int *ret_d)
{
	uint64_t z = days + 719468;
	uint64_t era = z / 146097, doe = z % 146097;
	uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	uint64_t mp = (5 * doy + 2) / 153;

	*ret_d = (unsigned int)(doy - (153 * mp + 2) / 5 + 1);
	*ret_m = (unsigned int)(mp < 10 ? mp + 3 : mp - 9);
	*ret_y = (unsigned int)(yoe + era * 400 + (*ret_m <= 2));
}

/* "2026-01-31T12:00:00." into text; 64 bits of nanoseconds end in the year 2554: four digits do. */
static void second_text(uint64_t secs, char text[20])
{
	unsigned int y, m, d, s = (unsigned int)(secs % SECS_PER_DAY);

	civil_from_days(secs / SECS_PER_DAY, &y, &m, &d);
	memcpy(text, "0000-00-00T00:00:00.", 20);
	put_2(text, y / 100);
	put_2(text + 2, y % 100);
	put_2(text + 5, m);
	put_2(text + 8, d);
	put_2(text + 11, s / 3600);
	put_2(text + 14, s / 60 % 60);
	put_2(text + 17, s % 60);
}

void buf_time_ns(struct buf *b, uint64_t wall_ns)
{
	uint64_t secs = wall_ns / NSEC_PER_SEC, frac = wall_ns % NSEC_PER_SEC;
	char nanos[10];
	int i;

	if (!b->time_text[0] || b->time_s != secs) {
		second_text(secs, b->time_text);
		b->time_s = secs;
	}
	for (i = 8; i >= 0; i--, frac /= 10)
		nanos[i] = (char)('0' + frac % 10);
	nanos[9] = 'Z';
	buf_put(b, b->time_text, 20);
	buf_put(b, nanos, sizeof(nanos));
}
