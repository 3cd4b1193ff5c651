/* SPDX-License-Identifier: BSD-2-Clause */
/* See model.h. */
#include "balance/model.h"

#include <errno.h>
#include <string.h>

#include "balance/health.h"
#include "balance/maglev.h"

int model_vip(const struct model *m, const struct lb_vip_key *key, struct netprobe_error *err)
{
	char text[VIP_TEXT_SIZE];

	for (unsigned int i = 0; i < LB_VIPS; i++)
		if (m->vips[i].key.proto && !memcmp(&m->vips[i].key, key, sizeof(*key)))
			return (int)i;
	vip_format(key, text);
	error_set(err, -ENOENT, "VIP %s is not there", text);
	error_hint(err, "netprobe_manager_backends shows VIPs; netprobe_manager_vip_add adds it");
	return -ENOENT;
}

/* Of all there ever were, so that no number comes twice: free slots keep their last one. */
static uint32_t next_uid(const struct model *m)
{
	uint32_t uid = 0;

	for (unsigned int i = 0; i < LB_VIPS; i++)
		if (m->vips[i].uid > uid)
			uid = m->vips[i].uid;
	for (unsigned int i = 0; i < LB_BACKENDS; i++)
		if (m->backends[i].uid > uid)
			uid = m->backends[i].uid;
	return uid + 1;
}

int model_vip_add(struct model *m, const struct lb_vip_key *key, uint32_t flags,
		  struct netprobe_error *err)
{
	struct lb_vip_conf *best = NULL;
	char text[VIP_TEXT_SIZE];

	vip_format(key, text);
	if (model_vip(m, key, NULL) >= 0)
		return error_set(err, -EEXIST, "VIP %s is there already", text);
	/* The slot that is free for longest: nobody can still be reading what was there. */
	for (unsigned int i = 0; i < LB_VIPS; i++)
		if (!m->vips[i].key.proto && (!best || m->vips[i].uid < best->uid))
			best = &m->vips[i];
	if (!best)
		return error_set(err, -ENOSPC, "VIP %s is one too many; takes %d", text, LB_VIPS);
	best->uid = next_uid(m);
	best->key = *key;
	best->flags = flags | (key->port_be ? 0 : LB_VIP_ALL_PORTS);
	best->ring_empty = 1;
	return (int)(best - m->vips);
}

void model_backend_remove(struct model *m, unsigned int slot)
{
	uint32_t uid = m->backends[slot].uid;

	memset(&m->confs[slot], 0, sizeof(m->confs[slot]));
	memset(&m->backends[slot], 0, sizeof(m->backends[slot]));
	m->backends[slot].uid = uid;
}

void model_vip_remove(struct model *m, unsigned int slot)
{
	uint32_t uid = m->vips[slot].uid;

	for (unsigned int i = 0; (i = model_next(m, slot, i));)
		model_backend_remove(m, i);
	memset(&m->vips[slot], 0, sizeof(m->vips[slot]));
	m->vips[slot].uid = uid;
}

unsigned int model_vips(const struct model *m)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < LB_VIPS; i++)
		n += m->vips[i].key.proto != 0;
	return n;
}

unsigned int model_next(const struct model *m, unsigned int vip, unsigned int after)
{
	for (unsigned int i = after + 1; i < LB_BACKENDS; i++)
		if (m->confs[i].used && m->backends[i].vip_slot == vip)
			return i;
	return 0;
}

int model_backend(const struct model *m, unsigned int vip, const uint8_t addr[16],
		  struct netprobe_error *err)
{
	char text[ADDR_TEXT_SIZE], vip_text[VIP_TEXT_SIZE];

	for (unsigned int i = 0; (i = model_next(m, vip, i));)
		if (!memcmp(m->backends[i].addr, addr, 16))
			return (int)i;
	addr_format(addr, text);
	vip_format(&m->vips[vip].key, vip_text);
	return error_set(err, -ENOENT, "%s is not a backend of %s", text, vip_text);
}

int model_backend_add(struct model *m, unsigned int vip, const struct backend_spec *spec,
		      uint64_t now_ns, struct netprobe_error *err)
{
	bool v6 = !addr_is_v4(spec->addr);
	char text[ADDR_TEXT_SIZE];
	unsigned int best = 0;

	addr_format(spec->addr, text);
	if (model_backend(m, vip, spec->addr, NULL) >= 0)
		return error_set(err, -EEXIST, "backend %s is there already", text);
	for (unsigned int i = 0; i < LB_VIPS; i++)
		if (m->vips[i].key.proto && !memcmp(m->vips[i].key.addr, spec->addr, 16))
			return error_set(
				err, -EINVAL,
				"backend %s is a VIP's address; takes that of another host", text);
	if (spec->forward == LB_FORWARD_MAC && v6 == addr_is_v4(m->vips[vip].key.addr))
		return error_set(
			err, -EINVAL,
			"backend %s: netprobe_backend.forward NETPROBE_FORWARD_MAC takes a backend of the VIP's own kind of "
			"address",
			text);
	for (unsigned int i = 1; i < LB_BACKENDS; i++)
		if (!m->confs[i].used && (!best || m->backends[i].uid < m->backends[best].uid))
			best = i;
	if (!best)
		return error_set(err, -ENOSPC, "backend %s is one too many; takes %d", text,
				 LB_BACKENDS - 1);
	m->backends[best] = (struct lb_backend){
		.uid = next_uid(m), .vip_slot = vip, .forward = spec->forward, .v6 = v6
	};
	memcpy(m->backends[best].addr, spec->addr, 16);
	memcpy(m->backends[best].src, spec->src, 16);
	m->confs[best] = spec->conf;
	m->confs[best].used = 1;
	/* A new one begins slowly, too. */
	m->confs[best].changed_ns = now_ns;
	m->backends[best].state = health_state(&m->confs[best]);
	return (int)best;
}

bool model_refresh(struct model *m, unsigned int vip)
{
	bool changed = false;

	for (unsigned int i = 0; (i = model_next(m, vip, i));) {
		uint8_t state = health_state(&m->confs[i]);

		changed |= state != m->backends[i].state;
		m->backends[i].state = state;
	}
	return changed;
}

int model_ring(const struct model *m, unsigned int vip, uint64_t now_ns, struct lb_ring *ret)
{
	struct maglev_member members[LB_BACKENDS];
	unsigned int n = 0;

	for (unsigned int i = 0; (i = model_next(m, vip, i));)
		members[n++] = (struct maglev_member){
			.name = maglev_name(m->backends[i].addr),
			.weight = health_weight(&m->confs[i], now_ns),
			.slot = (uint16_t)i,
		};
	return maglev_build(members, n, ret);
}
