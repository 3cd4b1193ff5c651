/* SPDX-License-Identifier: BSD-2-Clause */
/* See packets.h. */
#include "probe/packets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "probe/internal.h"
#include "probe/percpu.h"
#include "probe/pids.h"
#include "dns.skel.h"
#include "pcap.skel.h"

#define PACKET_LINKS 3

/* One of the two skeletons is there. */
struct probe_packets {
	struct netprobe_dns *dns;
	struct netprobe_pcap *pcap;
	struct bpf_object *obj;
	struct bpf_link *links[PACKET_LINKS];
	unsigned int n_links;
	struct bpf_map *ring_map, *loss_map;
	struct np_filter *filter; /* the programs' own, in mapped memory */
	struct ring_buffer *ring;
	probe_packet_fn fn; /* of the poll under way */
	void *arg;
	int n;
};

static int on_ring(void *ctx, void *data, size_t size)
{
	struct probe_packets *k = ctx;
	const struct np_ev_packet *ev = data;

	if (size < sizeof(*ev) || ev->hdr.len != sizeof(*ev) || ev->captured > size - sizeof(*ev) ||
	    ev->captured > ev->full)
		return 0;
	k->n++;
	if (k->fn)
		k->fn(ev, (const uint8_t *)data + sizeof(*ev), k->arg);
	return 0;
}

static int attach(struct probe *p, struct probe_packets *k)
{
	struct bpf_program *prog;

	bpf_object__for_each_program (prog, k->obj) {
		struct bpf_link *link;

		if (bpf_program__fd(prog) < 0 || k->n_links == PACKET_LINKS)
			continue;
		link = bpf_program__attach_cgroup(prog, p->cgroup_fd);
		if (!link)
			return -errno;
		k->links[k->n_links++] = link;
	}
	return 0;
}

static int share_owners(struct probe *p, struct probe_packets *k)
{
	struct bpf_map *socks = bpf_object__find_map_by_name(k->obj, "np_socks");
	struct bpf_map *hash = bpf_object__find_map_by_name(k->obj, "np_socks_h");
	int r = bpf_map__reuse_fd(socks, bpf_map__fd(p->skel->maps.np_socks));

	return r ? r : bpf_map__reuse_fd(hash, bpf_map__fd(p->skel->maps.np_socks_h));
}

static int start(struct probe *p, struct probe_packets *k)
{
	int r = attach(p, k);

	if (r)
		return r;
	k->ring = ring_buffer__new(bpf_map__fd(k->ring_map), on_ring, k, NULL);
	return k->ring ? 0 : -errno;
}

static int load_dns(struct probe *p, struct probe_packets *k, const uint16_t *ports, size_t n,
		    const struct np_filter *filter, uint32_t what)
{
	LIBBPF_OPTS(bpf_object_open_opts, open_opts, .btf_custom_path = p->opts.btf_path);
	int r;

	k->dns = netprobe_dns__open_opts(&open_opts);
	if (!k->dns)
		return -errno;
	k->obj = k->dns->obj;
	k->ring_map = k->dns->maps.np_dns_ring;
	k->loss_map = k->dns->maps.np_dns_loss;
	k->dns->rodata->cfg_store_hash = p->store_hash;
	k->filter = &k->dns->data->np_filter;
	if (filter)
		filter_host(k->filter, filter);
	for (size_t i = 0; i < n; i++)
		k->dns->bss->st_ports[ports[i] / 64] |= 1ULL << (ports[i] % 64);
	r = share_owners(p, k);
	if (!r && !(what & PACKETS_QUERIES))
		r = bpf_program__set_autoload(k->dns->progs.np_dns_tx, false);
	if (!r && !(what & PACKETS_ANSWERS))
		r = bpf_program__set_autoload(k->dns->progs.np_dns_rx, false);
	if (!r && !(what & PACKETS_FIRST))
		r = bpf_program__set_autoload(k->dns->progs.np_first_tx, false);
	if (!r)
		r = netprobe_dns__load(k->dns);
	return r;
}

static int load_pcap(struct probe *p, struct probe_packets *k, const struct np_filter *filter)
{
	LIBBPF_OPTS(bpf_object_open_opts, open_opts, .btf_custom_path = p->opts.btf_path);
	int r;

	k->pcap = netprobe_pcap__open_opts(&open_opts);
	if (!k->pcap)
		return -errno;
	k->obj = k->pcap->obj;
	k->ring_map = k->pcap->maps.np_pcap_ring;
	k->loss_map = k->pcap->maps.np_pcap_loss;
	k->pcap->rodata->cfg_store_hash = p->store_hash;
	k->filter = &k->pcap->data->np_filter;
	if (filter)
		filter_host(k->filter, filter);
	r = share_owners(p, k);
	return r ? r : netprobe_pcap__load(k->pcap);
}

static int packets_new(const struct probe *p, const char *what, struct probe_packets **ret_packets,
		       struct netprobe_error *err)
{
	if (p->cgroup_fd < 0)
		return error_set(err, -EOPNOTSUPP, "%s by cgroup programs, and %s", what,
				 p->facts.cgroup_missing);
	*ret_packets = calloc(1, sizeof(**ret_packets));
	return *ret_packets ? 0 : error_set(err, -ENOMEM, "out of memory");
}

/* r: of loading. */
static int finish(struct probe *p, struct probe_packets *k, int r, const char *what,
		  struct probe_packets **ret_packets, struct netprobe_error *err)
{
	if (!r)
		r = start(p, k);
	if (r) {
		(void)probe_packets_close(k);
		return error_set(err, r, "cannot load the BPF programs for %s: %s", what,
				 strerror(-r));
	}
	*ret_packets = k;
	return 0;
}

int probe_dns_open(struct probe *p, const uint16_t *ports, size_t n, const struct np_filter *filter,
		   uint32_t what, struct probe_packets **ret_packets, struct netprobe_error *err)
{
	struct probe_packets *k;
	int r = packets_new(p, "DNS is seen", &k, err);

	return r ? r
		 : finish(p, k, load_dns(p, k, ports, n, filter, what), "DNS", ret_packets, err);
}

int probe_pcap_open(struct probe *p, const struct np_filter *filter,
		    struct probe_packets **ret_packets, struct netprobe_error *err)
{
	struct probe_packets *k;
	int r = packets_new(p, "packets are seen", &k, err);

	return r ? r
		 : finish(p, k, load_pcap(p, k, filter), "netprobe_config.pcap", ret_packets, err);
}

void probe_packets_stop(struct probe_packets *k)
{
	for (unsigned int i = 0; i < k->n_links; i++)
		(void)bpf_link__destroy(k->links[i]);
	k->n_links = 0;
}

struct probe_packets *probe_packets_close(struct probe_packets *k)
{
	if (!k)
		return NULL;
	probe_packets_stop(k);
	ring_buffer__free(k->ring);
	netprobe_dns__destroy(k->dns);
	netprobe_pcap__destroy(k->pcap);
	free(k);
	return NULL;
}

void probe_packets_set_filter(struct probe_packets *k, const struct np_filter *filter)
{
	struct np_filter host;

	filter_host(&host, filter);
	*k->filter = host; /* asked anew for each packet */
}

int probe_packets_poll(struct probe_packets *k, probe_packet_fn fn, void *arg)
{
	int r;

	k->fn = fn;
	k->arg = arg;
	k->n = 0;
	r = ring_buffer__consume(k->ring);
	k->fn = NULL;
	return r < 0 ? r : k->n;
}

int probe_packets_losses(const struct probe_packets *k, struct np_packet_loss *ret_loss,
			 uint64_t *ret_missed)
{
	int r = percpu_sum(k->loss_map, ret_loss, sizeof(*ret_loss));
	struct bpf_program *prog;

	*ret_missed = 0;
	bpf_object__for_each_program (prog, k->obj) {
		struct bpf_prog_info info = {};
		__u32 len = sizeof(info);

		if (bpf_program__fd(prog) >= 0 &&
		    !bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len))
			*ret_missed += info.recursion_misses;
	}
	return r;
}
