/* SPDX-License-Identifier: BSD-2-Clause */
/* See ifwatch.h. */
#include "engine/ifwatch.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "capture/links.h"

struct ifwatch {
	struct links *links;
	const struct np_filter *filter; /* of the look under way */
	bool all;
};

struct ifwatch *ifwatch_new(void)
{
	struct ifwatch *w = calloc(1, sizeof(*w));
	int r = 0;

	if (!w)
		return NULL;
	w->links = links_open(&r);
	if (w->links)
		return w;
	log_debug("interfaces are not followed: %s", strerror(-r));
	return ifwatch_free(w);
}

struct ifwatch *ifwatch_free(struct ifwatch *w)
{
	if (!w)
		return NULL;
	(void)links_close(w->links);
	free(w);
	return NULL;
}

bool ifwatch_wanted(const struct np_filter *filter, const char *name)
{
	for (unsigned int i = 0; i < filter->n_iface; i++)
		if (!strncmp(filter->iface[i], name, sizeof(filter->iface[i])))
			return true;
	return !filter->n_iface;
}

static void on_link(uint32_t ifindex, const char *name, bool came, void *arg)
{
	const struct ifwatch *w = arg;
	bool loud = w->all || w->filter->n_iface;

	if (ifwatch_wanted(w->filter, name))
		log_msg(loud ? LOG_NOTICE : LOG_INFO, "interface %s (%u) %s", name, ifindex,
			came ? "appeared" : "vanished");
}

void ifwatch_read(struct ifwatch *w, const struct np_filter *filter, bool all)
{
	w->filter = filter;
	w->all = all;
	links_read(w->links, on_link, w);
}

uint32_t ifwatch_index(const struct ifwatch *w, const char *name)
{
	return links_index(w->links, name);
}

bool ifwatch_is_stacked(const struct ifwatch *w, uint32_t ifindex)
{
	return links_is_stacked(w->links, ifindex);
}

uint32_t ifwatch_state(const struct ifwatch *w, uint32_t ifindex, uint32_t *ret_mbit,
		       uint32_t *ret_duplex)
{
	return links_state(w->links, ifindex, ret_mbit, ret_duplex);
}

bool ifwatch_began(const struct ifwatch *w, uint32_t ifindex, struct netdev *ret)
{
	return links_began(w->links, ifindex, ret);
}
