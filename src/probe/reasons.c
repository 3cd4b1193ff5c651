/* SPDX-License-Identifier: BSD-2-Clause */
/* See reasons.h. */
#include "probe/reasons.h"

#include <stdio.h>
#include <string.h>

#include <bpf/btf.h>

#define SUBSYS_SHIFT 16 /* SKB_DROP_REASON_SUBSYS_MASK is 0xffff0000, since 6.4 */

static const char *without_prefix(const char *name)
{
	static const char *const prefixes[] = { "SKB_DROP_REASON_SUBSYS_", "SKB_DROP_REASON_",
						"SKB_" };

	for (unsigned int i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return name + strlen(prefixes[i]);
	return name;
}

static void take(const struct btf *btf, const char *type, const char **names, unsigned int max)
{
	int id = btf__find_by_name_kind(btf, type, BTF_KIND_ENUM);
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(btf, (__u32)id);

	for (unsigned int i = 0; t && i < btf_vlen(t); i++) {
		const struct btf_enum *e = &btf_enum(t)[i];
		const char *name = without_prefix(btf__name_by_offset(btf, e->name_off));

		/* MAX, SUBSYS_NUM and the like end the list and are no reasons. */
		if ((uint32_t)e->val < max && strcmp(name, "MAX") && strcmp(name, "NUM"))
			names[e->val] = name;
	}
}

void reasons_init(struct reasons *r, const struct btf *btf)
{
	*r = (struct reasons){ .btf = btf };
	take(btf, "skb_drop_reason", r->names, NP_DROP_REASONS);
	take(btf, "skb_drop_reason_subsys", r->subsystems,
	     sizeof(r->subsystems) / sizeof(r->subsystems[0]));
	for (uint32_t i = 0; i < NP_DROP_REASONS; i++)
		if (r->names[i]) {
			r->n++;
			if (!strcmp(r->names[i], "NOT_SPECIFIED"))
				r->unspecified = i;
			if (!strcmp(r->names[i], "TCP_LISTEN_OVERFLOW"))
				r->listen_overflow = i;
		}
}

const char *reasons_name(const struct reasons *r, uint32_t reason, char *buf, size_t size)
{
	uint32_t subsystem = reason >> SUBSYS_SHIFT;

	if (!r->n)
		return "UNKNOWN";
	if (reason < NP_DROP_REASONS && r->names[reason])
		return r->names[reason];
	if (subsystem && subsystem < sizeof(r->subsystems) / sizeof(r->subsystems[0]) &&
	    r->subsystems[subsystem])
		(void)snprintf(buf, size, "%s_%u", r->subsystems[subsystem], reason & 0xffff);
	else if (subsystem)
		(void)snprintf(buf, size, "SUBSYSTEM_%u_%u", subsystem, reason & 0xffff);
	else
		(void)snprintf(buf, size, "REASON_%u", reason);
	return buf;
}
