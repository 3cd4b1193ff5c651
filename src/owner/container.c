/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cgroup path -> container: what the names that container runtimes give their cgroups tell. Pure
 * text work; asks no runtime and opens no socket. The deepest match wins, so that a container in a
 * container is named by itself and a service inside a container by its container.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "owner/cgroup.h"

#define CONTAINER_ID_LEN 64

/* One component of the path, and the one above it. Not NUL-terminated. */
struct part {
	const char *s;
	size_t len;
};

/* What was found so far; points into the path. */
struct found {
	struct part id, pod;
	const char *runtime; /* NULL: the path does not tell */
	bool escaped;	     /* id is a systemd unit name, with \x2d for a dash */
	bool nested;	     /* below a cgroup that is another container's */
	unsigned int depth;  /* of the component that the id is of; the first is 1 */
	uint32_t user;	     /* below whose systemd manager it is; CONTAINER_OF_HOST: nobody's */
};

static bool part_is(struct part p, const char *word)
{
	return p.len == strlen(word) && memcmp(p.s, word, p.len) == 0;
}

static bool cut_prefix(struct part *p, const char *prefix)
{
	size_t n = strlen(prefix);

	if (p->len <= n || memcmp(p->s, prefix, n) != 0)
		return false;
	p->s += n;
	p->len -= n;
	return true;
}

static bool cut_suffix(struct part *p, const char *suffix)
{
	size_t n = strlen(suffix);

	if (p->len <= n || memcmp(p->s + p->len - n, suffix, n) != 0)
		return false;
	p->len -= n;
	return true;
}

static bool is_hex_id(struct part p)
{
	size_t i;

	if (p.len != CONTAINER_ID_LEN)
		return false;
	for (i = 0; i < p.len; i++)
		if (!isxdigit((unsigned char)p.s[i]))
			return false;
	return true;
}

/* 8-4-4-4-12 hex digits with - or _ between; static pods have 32 digits and nothing between. */
static bool is_pod_uid(struct part p)
{
	size_t i;

	if (p.len != 36 && p.len != 32)
		return false;
	for (i = 0; i < p.len; i++) {
		bool gap = p.len == 36 && (i == 8 || i == 13 || i == 18 || i == 23);

		if (gap ? (p.s[i] != '-' && p.s[i] != '_') : !isxdigit((unsigned char)p.s[i]))
			return false;
	}
	return true;
}

/* kubepods-burstable-pod<uid>.slice (systemd driver) or pod<uid> (cgroupfs driver) */
static void find_pod(struct found *f, struct part p)
{
	static const char mark[] = "-pod";
	struct part uid = p;
	size_t i;

	if (cut_prefix(&uid, "pod") && is_pod_uid(uid)) {
		f->pod = uid;
		return;
	}
	if (!cut_suffix(&p, ".slice"))
		return;
	for (i = 0; i + sizeof(mark) - 1 < p.len; i++) {
		if (memcmp(p.s + i, mark, sizeof(mark) - 1) != 0)
			continue;
		uid.s = p.s + i + sizeof(mark) - 1;
		uid.len = p.len - i - (sizeof(mark) - 1);
		if (is_pod_uid(uid))
			f->pod = uid;
	}
}

/* From here on it is that container's. */
static void found_id(struct found *f, struct part id, const char *runtime, bool escaped)
{
	f->nested = f->nested ||
		    (f->id.s && (f->id.len != id.len || memcmp(f->id.s, id.s, id.len)));
	f->id = id;
	f->runtime = runtime;
	f->escaped = escaped;
}

/* Names made of a runtime's prefix and 64 hex digits, as a scope or as a plain directory. */
static bool find_prefixed(struct found *f, struct part p)
{
	static const struct {
		const char *prefix, *runtime;
	} names[] = {
		{ "docker-", "docker" },	 { "cri-containerd-", "containerd" },
		{ "nerdctl-", "containerd" },	 { "crio-", "cri-o" },
		{ "libpod-payload-", "podman" }, /* in the unit that a quadlet makes */
		{ "libpod-", "podman" },	 { "kata_", "kata" },
	};
	size_t i;

	(void)cut_suffix(&p, ".scope");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct part id = p;

		/* is_hex_id keeps out crio-conmon-<id> and libpod-conmon-<id>, monitors */
		if (!cut_prefix(&id, names[i].prefix) || !is_hex_id(id))
			continue;
		found_id(f, id, names[i].runtime, false);
		return true;
	}
	return false;
}

/* <slice>:cri-containerd:<id>: containerd set to cgroupfs below a kubelet set to systemd */
static bool find_colons(struct found *f, struct part p)
{
	static const char mark[] = ":cri-containerd:";
	struct part slice = p, id;
	const char *at = memmem(p.s, p.len, mark, sizeof(mark) - 1);

	if (!at)
		return false;
	slice.len = (size_t)(at - p.s);
	id.s = at + sizeof(mark) - 1;
	id.len = p.len - slice.len - (sizeof(mark) - 1);
	if (!is_hex_id(id))
		return false;
	find_pod(f, slice);
	found_id(f, id, "containerd", false);
	return true;
}

/* lxc\x2d<number>\x2dNAME: so libvirt registers its containers. Leaves NAME. */
static bool cut_libvirt(struct part *p)
{
	struct part name = *p;
	size_t n = 0;

	if (!cut_prefix(&name, "lxc\\x2d"))
		return false;
	while (n < name.len && isdigit((unsigned char)name.s[n]))
		n++;
	name.s += n;
	name.len -= n;
	if (!n || !cut_prefix(&name, "\\x2d"))
		return false;
	*p = name;
	return true;
}

/* Names chosen by people: lxc, systemd-nspawn, libvirt, and runtimes that are called by hand. */
static bool find_named(struct found *f, struct part above, struct part p)
{
	struct part id = p, scope = p;

	if (cut_prefix(&id, "lxc.payload.") || part_is(above, "lxc") ||
	    part_is(above, "lxc.payload")) {
		found_id(f, id, "lxc", false);
	} else if (cut_prefix(&id, "machine-") && cut_suffix(&id, ".scope")) {
		/* libvirt names virtual machines the same way: machine-qemu\x2d1\x2dname.scope */
		if (id.len > 8 && memcmp(id.s, "qemu\\x2d", 8) == 0)
			return false;
		if (cut_libvirt(&id))
			found_id(f, id, "libvirt-lxc", true);
		else
			found_id(f, id, "systemd-nspawn", true);
	} else if (cut_prefix(&id, "systemd-nspawn@") && cut_suffix(&id, ".service")) {
		found_id(f, id, "systemd-nspawn", true);
	} else if (cut_suffix(&scope, ".scope") && cut_prefix(&scope, "crun-")) {
		found_id(f, scope, "crun", true);
	} else if (scope.len < p.len && cut_prefix(&scope, "runc-")) {
		found_id(f, scope, "runc", true);
	} else {
		return false;
	}
	return true;
}

/* BuildKit's own ids: 25 characters of base 36. */
static bool is_build_id(struct part p)
{
	if (p.len != 25)
		return false;
	for (size_t i = 0; i < p.len; i++)
		if (!isdigit((unsigned char)p.s[i]) && !islower((unsigned char)p.s[i]))
			return false;
	return true;
}

/*
 * user@1000.service: whoever has that number may make what cgroups he likes below it, also such as are called after
 * another one's manager: the outermost tells.
 */
static void find_user(struct found *f, struct part p)
{
	uint64_t uid = 0;

	if (f->id.s || f->user != CONTAINER_OF_HOST || !cut_prefix(&p, "user@") ||
	    !cut_suffix(&p, ".service") || p.len > 10)
		return;
	for (size_t i = 0; i < p.len; i++) {
		if (!isdigit((unsigned char)p.s[i]))
			return;
		uid = uid * 10 + (uint64_t)(p.s[i] - '0');
	}
	if (uid < CONTAINER_OF_NOBODY)
		f->user = (uint32_t)uid;
}

/* With above2, which is above the one above. */
static void find_in(struct found *f, struct part above2, struct part above, struct part p)
{
	find_pod(f, p);
	find_user(f, p);
	if (find_prefixed(f, p) || find_colons(f, p) || find_named(f, above, p))
		return;
	if (part_is(above, "buildkit") && (is_build_id(p) || is_hex_id(p))) {
		found_id(f, p, "buildkit", false);
		return;
	}
	if (!is_hex_id(p))
		return;
	if (part_is(above, "docker"))
		found_id(f, p, "docker", false);
	else if (part_is(above, "kata_overhead"))
		found_id(f, p, "kata", false);
	else if (f->pod.s && f->pod.s + f->pod.len == above.s + above.len)
		found_id(f, p, NULL, false); /* kubelet with the cgroupfs driver: pod<uid>/<id> */
	else if (part_is(above2, "ecs") || part_is(above, "default"))
		found_id(f, p, NULL, false); /* ecs/<task>/<id>; nerdctl with the cgroupfs driver */
}

/* Undo systemd's \xNN in place. */
static void unit_unescape(char *s)
{
	char *out = s;

	while (*s) {
		unsigned int byte;

		if (s[0] == '\\' && s[1] == 'x' && isxdigit((unsigned char)s[2]) &&
		    isxdigit((unsigned char)s[3]) && sscanf(s + 2, "%2x", &byte) == 1 && byte) {
			*out++ = (char)byte;
			s += 4;
		} else {
			*out++ = *s++;
		}
	}
	*out = '\0';
}

static int found_store(const struct found *f, struct cgroup *c)
{
	char *id = NULL, *pod = NULL, *p;

	if (f->id.s) {
		id = strndup(f->id.s, f->id.len);
		if (!id)
			return -ENOMEM;
		if (f->escaped)
			unit_unescape(id);
	}
	if (f->pod.s) {
		pod = strndup(f->pod.s, f->pod.len);
		if (!pod) {
			free(id);
			return -ENOMEM;
		}
		for (p = pod; *p; p++)
			if (*p == '_')
				*p = '-';
	}
	free(c->container_id);
	free(c->pod_uid);
	c->container_id = id;
	c->pod_uid = pod;
	c->runtime = f->runtime;
	c->owner = f->nested ? CONTAINER_OF_NOBODY : f->user;
	return 0;
}

static void find_all(struct found *f, const char *s)
{
	struct part above2 = { "", 0 }, above = { "", 0 }, p;
	unsigned int depth = 0;

	f->user = CONTAINER_OF_HOST;

	while (s && *s) {
		const char *id = f->id.s;

		s += strspn(s, "/");
		p.s = s;
		p.len = strcspn(s, "/");
		s += p.len;
		if (!p.len)
			break;
		find_in(f, above2, above, p);
		depth++;
		if (f->id.s != id)
			f->depth = depth;
		above2 = above;
		above = p;
	}
}

int cgroup_parse_container(struct cgroup *c)
{
	struct found f = { 0 };

	find_all(&f, c->path);
	return found_store(&f, c);
}

/* "/a/b" of names from the end. False: there is none. */
static bool v1_path(char *buf, size_t size, const char names[NP_V1_DEPTH][NP_V1_NAME])
{
	size_t n = 0;
	int d = 0;

	while (d < NP_V1_DEPTH && names[d][0])
		d++;
	buf[0] = '\0';
	while (d-- && n < size)
		n += (size_t)snprintf(buf + n, size - n, "/%.*s", NP_V1_NAME - 1, names[d]);
	return n;
}

int cgroup_parse_v1(struct cgroup *c, const struct np_v1 *v1)
{
	char paths[NP_V1_PATHS][NP_V1_DEPTH * (NP_V1_NAME + 1) + 1];
	struct found best = { .user = CONTAINER_OF_HOST };

	for (int i = 0; i < NP_V1_PATHS; i++) {
		struct found f = { 0 };

		if (!v1_path(paths[i], sizeof(paths[i]), v1->name[i]))
			break;
		find_all(&f, paths[i]);
		if (f.id.s && f.depth > best.depth)
			best = f;
	}
	return found_store(&best, c);
}
