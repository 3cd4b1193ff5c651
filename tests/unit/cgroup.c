/* SPDX-License-Identifier: BSD-2-Clause */
/* cgroup ids, paths and the containers they name, against made-up trees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/cgroup2.h"
#include "owner/cgroup.h"
#include "owner/cgroup_tree.h"
#include "owner/container.h"
#include "owner/container_name.h"
#include "process_tree.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ID2 "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define UID "6f8ed8ab-1c2d-4e5f-8a9b-0c1d2e3f4a5b"
#define UID_ "6f8ed8ab_1c2d_4e5f_8a9b_0c1d2e3f4a5b"
#define SECOND 1000000000ull

struct fixture {
	struct tree tree;
	char mount[128];
	struct cgroup_table *cgroups;
};

static int open_fixture(void **state)
{
	static struct fixture f;

	tree_open(&f.tree);
	tree_dir(&f.tree, "cgroup/system.slice/ssh.service");
	tree_dir(&f.tree, "cgroup/docker/" ID);
	tree_path(&f.tree, f.mount, sizeof(f.mount), "cgroup");
	f.cgroups = cgroup_table_new(f.mount, 0);
	assert_non_null(f.cgroups);
	*state = &f;
	return 0;
}

static int close_fixture(void **state)
{
	struct fixture *f = *state;

	(void)cgroup_table_free(f->cgroups);
	tree_remove(f->tree.root);
	return 0;
}

static uint64_t id_of(const struct fixture *f, const char *path)
{
	char full[512];
	struct stat st;

	tree_path(&f->tree, full, sizeof(full), path);
	assert_int_equal(stat(full, &st), 0);
	return st.st_ino;
}

static void id_is_the_inode_of_its_directory(void **state)
{
	struct fixture *f = *state;
	const struct cgroup *c;

	c = cgroup_table_get(f->cgroups, id_of(f, "cgroup/system.slice/ssh.service"), SECOND);
	assert_string_equal(c->path, "/system.slice/ssh.service");
	assert_null(c->container_id);
	c = cgroup_table_get(f->cgroups, id_of(f, "cgroup"), SECOND);
	assert_string_equal(c->path, "/");
	c = cgroup_table_get(f->cgroups, id_of(f, "cgroup/docker/" ID), SECOND);
	assert_string_equal(c->container_id, ID);
	assert_string_equal(c->runtime, "docker");
	assert_null(cgroup_table_get(f->cgroups, 0, SECOND));
	assert_null(cgroup_table_get(NULL, 1, SECOND));
}

static void unknown_id_is_searched_again_after_a_second(void **state)
{
	struct fixture *f = *state;
	const struct cgroup *c, *again;

	(void)cgroup_table_get(f->cgroups, id_of(f, "cgroup"), 5 * SECOND);
	tree_dir(&f->tree, "cgroup/late");
	c = cgroup_table_get(f->cgroups, id_of(f, "cgroup/late"), 5 * SECOND + 1);
	assert_non_null(c);
	assert_null(c->path);
	again = cgroup_table_get(f->cgroups, c->id, 6 * SECOND);
	assert_ptr_equal(c, again);
	assert_string_equal(c->path, "/late");
}

static void container_that_is_gone_keeps_its_name(void **state)
{
	struct fixture *f = *state;
	uint64_t id = id_of(f, "cgroup/docker/" ID);
	char path[256];

	(void)cgroup_table_get(f->cgroups, id, SECOND);
	tree_path(&f->tree, path, sizeof(path), "cgroup/docker");
	tree_remove(path);
	(void)cgroup_table_get(f->cgroups, 999999999999ull, 10 * SECOND);
	assert_string_equal(cgroup_table_get(f->cgroups, id, 10 * SECOND)->container_id, ID);
}

static void full_table_shares_one_nameless_entry(void **state)
{
	struct fixture *f = *state;
	struct cgroup_table *t = cgroup_table_new(f->mount, 2);
	const struct cgroup *c;
	uint64_t i;

	for (i = 1; i <= 10; i++)
		assert_non_null(cgroup_ref(cgroup_table_get(t, 1ull << (50 + i), SECOND)));
	c = cgroup_table_get(t, 1ull << 58, SECOND);
	assert_int_equal(c->id, 0);
	assert_null(c->path);
	assert_ptr_equal(c, cgroup_table_get(t, 1ull << 59, SECOND));
	assert_int_equal(cgroup_table_full(t), 10);
	(void)cgroup_table_free(t);
}

/* On a host that starts containers all day nobody is "unknown" because of those that are gone. */
static void cgroups_nobody_refers_to_make_room(void **state)
{
	struct fixture *f = *state;
	struct cgroup_table *t = cgroup_table_new(f->mount, 4);
	uint64_t id = id_of(f, "cgroup/docker/" ID), now = SECOND;
	const struct cgroup *kept = cgroup_ref(cgroup_table_get(t, id, now));
	const struct cgroup *c;

	for (uint64_t i = 0; i < 1000; i++) {
		now += SECOND;
		c = cgroup_table_get(t, (1ull << 40) + i, now);
		assert_int_equal(c->id, (1ull << 40) + i);
	}
	assert_int_equal(cgroup_table_full(t), 0);
	assert_ptr_equal(cgroup_table_get(t, id, now), kept);
	assert_string_equal(kept->container_id, ID);
	cgroup_unref(kept);
	(void)cgroup_table_free(t);
}

static void path_is_taken_with_and_without_the_mount(void **state)
{
	struct fixture *f = *state;
	static const char *const spellings[] = {
		"system.slice/ssh.service",
		"/system.slice/ssh.service",
		"/system.slice/ssh.service/",
		"//system.slice//ssh.service",
	};
	uint64_t want = id_of(f, "cgroup/system.slice/ssh.service"), id;
	char full[256];
	uint32_t level;
	size_t i;

	for (i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		assert_int_equal(cgroup_lookup_path(f->cgroups, spellings[i], &id, &level), 0);
		assert_int_equal(id, want);
		assert_int_equal(level, 2);
	}
	(void)snprintf(full, sizeof(full), "%s/system.slice/ssh.service", f->mount);
	assert_int_equal(cgroup_lookup_path(f->cgroups, full, &id, NULL), 0);
	assert_int_equal(id, want);
	assert_int_equal(cgroup_lookup_path(f->cgroups, f->mount, &id, &level), 0);
	assert_int_equal(id, id_of(f, "cgroup"));
	assert_int_equal(level, 0);
	assert_int_equal(cgroup_lookup_path(f->cgroups, "/", &id, &level), 0);
	assert_int_equal(level, 0);
}

static void path_that_is_no_cgroup_is_not_found(void **state)
{
	struct fixture *f = *state;
	uint64_t id = 5;

	tree_file(&f->tree, "cgroup/cgroup.procs", "");
	assert_int_equal(cgroup_lookup_path(f->cgroups, "nope", &id, NULL), -ENOENT);
	assert_int_equal(cgroup_lookup_path(f->cgroups, "", &id, NULL), -ENOENT);
	assert_int_equal(cgroup_lookup_path(f->cgroups, "../cgroup", &id, NULL), -ENOENT);
	assert_int_equal(cgroup_lookup_path(f->cgroups, "docker/..", &id, NULL), -ENOENT);
	assert_int_equal(cgroup_lookup_path(f->cgroups, "cgroup.procs", &id, NULL), -ENOENT);
	assert_int_equal(cgroup_lookup_path(f->cgroups, "cgroup.procs/x", &id, NULL), -ENOENT);
	assert_int_equal(id, 5);
}

struct seen {
	char point[64], options[64];
	unsigned int n;
};

static bool on_mount(const char *root, const char *point, const char *options, void *arg)
{
	struct seen *s = arg;

	assert_int_equal(root[0], '/');
	(void)snprintf(s->point, sizeof(s->point), "%s", point);
	(void)snprintf(s->options, sizeof(s->options), "%s", options);
	s->n++;
	return false;
}

static void mounts_are_found_by_their_type(void **state)
{
	static const struct {
		const char *mountinfo, *mount, *options; /* of the last one */
		unsigned int n;
	} cases[] = {
		/* unified */
		{ "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 "
		  "rw,nsdelegate\n",
		  "/sys/fs/cgroup", "rw,nsdelegate", 1 },
		/* hybrid */
		{ "31 23 0:27 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755\n"
		  "32 31 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
		  "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n",
		  "/sys/fs/cgroup/unified", "rw", 1 },
		/* bind mounts of parts of it are others to be tried */
		{ "50 23 0:26 /a /mnt/part rw - cgroup2 cgroup2 rw\n"
		  "51 23 0:26 / /mnt/all rw shared:1 master:2 - cgroup2 cgroup2 rw\n"
		  "52 23 0:26 / /mnt/again rw - cgroup2 cgroup2 rw\n",
		  "/mnt/again", "rw", 3 },
		{ "60 23 0:26 / /mnt/a\\040b\\134c rw - cgroup2 none rw\n", "/mnt/a b\\c", "rw",
		  1 },
		/* a source called cgroup2 is no type */
		{ "70 23 0:26 / /mnt rw - tmpfs cgroup2 rw\n", NULL, NULL, 0 },
		{ "80 23 0:26 / /mnt rw\n- cgroup2\nnonsense\n\n", NULL, NULL, 0 },
	};
	struct fixture *f = *state;
	char path[160];
	size_t i;

	tree_dir(&f->tree, "self");
	tree_path(&f->tree, path, sizeof(path), "self/mountinfo");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct seen seen = { "", "", 0 };

		tree_file(&f->tree, "self/mountinfo", cases[i].mountinfo);
		assert_false(cgroup2_mounts(path, on_mount, &seen));
		assert_int_equal(seen.n, cases[i].n);
		assert_string_equal(seen.point, cases[i].mount ? cases[i].mount : "");
		assert_string_equal(seen.options, cases[i].mount ? cases[i].options : "");
	}
	assert_false(cgroup2_mounts("/nonexistent", on_mount, NULL));
}

static void machine_without_v2_tree_still_gives_ids(void **state)
{
	struct fixture *f = *state;
	struct cgroup_table *t = cgroup_table_new("", 0);
	const struct cgroup *c = cgroup_table_get(t, 77, SECOND);
	uint64_t id;

	(void)f;
	assert_int_equal(c->id, 77);
	assert_null(c->path);
	assert_null(cgroup_mount(t));
	assert_int_equal(cgroup_lookup_path(t, "/", &id, NULL), -ENOENT);
	(void)cgroup_table_free(t);
}

static void path_that_is_unknown_names_no_container(void **state)
{
	struct cgroup c = { .id = 4 };

	(void)state;
	assert_int_equal(cgroup_parse_container(&c), 0);
	assert_null(c.container_id);
}

static void check_text(const char *got, const char *want)
{
	if (want)
		assert_string_equal(got, want);
	else
		assert_null(got);
}

/* As /proc/PID/cgroup of a hybrid host shows them. */
static void container_is_that_of_v1_hierarchies(void **state)
{
	static const struct {
		const char *text, *id, *runtime, *pod;
	} cases[] = {
		{ "8:pids:/docker/" ID "\n4:memory:/\n0::/\n", ID, "docker", NULL },
		{ "8:pids:/\n4:memory:/kubepods/burstable/pod" UID "/" ID "\n0::/\n", ID, NULL,
		  UID },
		{ "1:cpu,cpuacct:/system.slice/docker-" ID ".scope\n0::/\n", ID, "docker", NULL },
		{ "1:name=systemd:/kubepods.slice/kubepods-burstable.slice/"
		  "kubepods-burstable-pod" UID_ ".slice/cri-containerd-" ID ".scope\n0::/\n",
		  ID, "containerd", UID },
		{ "8:pids:/lxc/web\n4:memory:/lxc/web/docker/" ID "\n"
		  "1:name=systemd:/lxc/web/init.scope\n",
		  ID, "docker", NULL },
		{ "8:pids:/docker/" ID "\n1:name=systemd:/system.slice/docker.service\n"
		  "0::/system.slice/docker.service\n",
		  ID, "docker", NULL },
		/* seen from a cgroup namespace beside it */
		{ "8:pids:/../docker-" ID ".scope\n0::/\n", ID, "docker", NULL },
		{ "8:pids:/user.slice\n4:memory:/process/0123456789abcdef\n0::/\n", NULL, NULL,
		  NULL },
	};
	static const char *const none[] = { "0::/\n", "8:pids:/\n0::/docker/" ID "\n", "", "8",
					    "8:pids\n:::\n" };
	struct np_v1 v1;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cgroup c = { .id = 4 };
		char *text = strdup(cases[i].text);

		assert_non_null(text);
		assert_true(cgroup_v1_of(text, &v1));
		assert_int_equal(cgroup_parse_v1(&c, &v1), 0);
		check_text(c.container_id, cases[i].id);
		check_text(c.runtime, cases[i].runtime);
		check_text(c.pod_uid, cases[i].pod);
		free(text);
		free(c.container_id);
		free(c.pod_uid);
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		char *text = strdup(none[i]);

		assert_non_null(text);
		assert_false(cgroup_v1_of(text, &v1));
		free(text);
	}
}

static int tell_v1(void *arg, uint64_t key, struct np_v1 *ret)
{
	unsigned int *asked = arg;

	++*asked;
	memset(ret, 0, sizeof(*ret));
	if (key != 5 && key != 6)
		return -ENOENT;
	(void)snprintf(ret->name[0][0], NP_V1_NAME, "docker-%s.scope", key == 5 ? ID2 : "x");
	return 0;
}

static void v1_hierarchies_tell_what_the_v2_tree_does_not(void **state)
{
	struct fixture *f = *state;
	uint64_t root, docker;
	unsigned int asked = 0;
	const struct cgroup *c;

	assert_int_equal(cgroup_lookup_path(f->cgroups, "/", &root, NULL), 0);
	assert_int_equal(cgroup_lookup_path(f->cgroups, "/docker/" ID, &docker, NULL), 0);
	c = cgroup_table_of(f->cgroups, root, 5, tell_v1, &asked, SECOND);
	assert_int_equal(c->id, root);
	assert_string_equal(c->path, "/");
	assert_string_equal(c->container_id, ID2);
	assert_true(c->settled);
	assert_ptr_equal(cgroup_table_of(f->cgroups, root, 5, tell_v1, &asked, SECOND), c);
	assert_int_equal(asked, 1);
	/* that of the v2 tree comes first */
	c = cgroup_table_of(f->cgroups, docker, 5, tell_v1, &asked, SECOND);
	assert_string_equal(c->container_id, ID);
	/* no container, not known any more, nobody to ask */
	c = cgroup_table_get(f->cgroups, root, SECOND);
	assert_null(c->container_id);
	assert_ptr_equal(cgroup_table_of(f->cgroups, root, 6, tell_v1, &asked, SECOND), c);
	assert_ptr_equal(cgroup_table_of(f->cgroups, root, 7, tell_v1, &asked, SECOND), c);
	assert_ptr_equal(cgroup_table_of(f->cgroups, root, 5, NULL, NULL, SECOND), c);
	assert_int_equal(asked, 3);
}

static void real_tree_is_read_by_handle_or_by_walk(void **state)
{
	struct cgroup_table *t = cgroup_table_new(NULL, 0);
	const struct cgroup *c;
	uint64_t id;

	(void)state;
	if (!cgroup_mount(t) || cgroup_lookup_path(t, "/", &id, NULL) < 0) {
		(void)cgroup_table_free(t);
		print_message("no cgroup v2 tree here\n");
		skip();
	}
	c = cgroup_table_get(t, id, SECOND);
	assert_string_equal(c->path, "/");
	(void)cgroup_table_free(t);
}

static int find(const struct fixture *f, const char *what, struct container_cgroup ret[4])
{
	return container_find(f->mount, f->tree.root, what, ret, 4);
}

static void container_is_found_by_its_id_and_the_beginning_of_it(void **state)
{
	struct fixture *f = *state;
	struct container_cgroup c[4];

	tree_dir(&f->tree, "cgroup/docker/" ID "/init.scope"); /* part of it, and not one more */
	tree_dir(&f->tree, "cgroup/system.slice/docker-" ID2 ".scope");
	assert_int_equal(find(f, ID, c), 1);
	assert_true(c[0].id == id_of(f, "cgroup/docker/" ID));
	assert_int_equal(c[0].level, 2);
	assert_int_equal(find(f, "fedc", c), 1);
	assert_true(c[0].id == id_of(f, "cgroup/system.slice/docker-" ID2 ".scope"));
	assert_int_equal(find(f, "fed", c), -ENOENT); /* too short to mean anything */
	assert_int_equal(find(f, "", c), -ENOENT);
	assert_int_equal(find(f, "ssh.service", c), -ENOENT);
	tree_dir(&f->tree, "cgroup/docker/"
			   "0123ffff00000000000000000000000000000000000000000000000000000000");
	assert_int_equal(find(f, "0123", c), -ENOTUNIQ);
	assert_int_equal(find(f, "01234", c), 1);
}

static void container_is_found_by_the_name_its_runtime_gave_it(void **state)
{
	struct fixture *f = *state;
	struct container_cgroup c[4];

	tree_dir(&f->tree, "cgroup/machine.slice/libpod-" ID2 ".scope");
	tree_dir(&f->tree, "cgroup/lxc.payload.web");
	tree_dir(&f->tree, "var/lib/docker/containers/" ID);
	tree_file(&f->tree, "var/lib/docker/containers/" ID "/config.v2.json",
		  "{\"ID\":\"" ID "\",\"Name\":\"/shop\"}");
	tree_dir(&f->tree, "var/lib/containers/storage/overlay-containers");
	tree_file(&f->tree, "var/lib/containers/storage/overlay-containers/containers.json",
		  "[{\"id\":\"" ID2 "\",\"names\":[\"old\",\"mail\"]},{\"names\":3}]");
	assert_int_equal(find(f, "shop", c), 1);
	assert_true(c[0].id == id_of(f, "cgroup/docker/" ID));
	assert_int_equal(find(f, "mail", c), 1);
	assert_true(c[0].id == id_of(f, "cgroup/machine.slice/libpod-" ID2 ".scope"));
	assert_int_equal(find(f, "web", c), 1);
	assert_int_equal(find(f, "sho", c), -ENOENT);
	tree_file(&f->tree, "var/lib/docker/containers/" ID "/config.v2.json", "{ broken");
	assert_int_equal(find(f, "shop", c), -ENOENT);
}

static const struct cgroup *get(const struct fixture *f, const char *path, uint64_t now_ns)
{
	return cgroup_table_get(f->cgroups, id_of(f, path), now_ns);
}

static const char *name(const struct fixture *f, const char *path, uint64_t now_ns)
{
	return cgroup_info(get(f, path, now_ns))->name;
}

static void containers_are_named_by_their_cgroup_and_their_runtimes_files(void **state)
{
	static const char pod[] = "cgroup/kubepods.slice/kubepods-pod" UID_
				  ".slice/cri-containerd-" ID2 ".scope";
	struct fixture *f = *state;
	const struct cgroup *c;

	tree_dir(&f->tree, "cgroup/machine.slice/libpod-" ID2 ".scope");
	tree_dir(&f->tree, "cgroup/lxc.payload.web");
	tree_dir(&f->tree, pod);
	tree_dir(&f->tree, "var/lib/docker/containers/" ID);
	tree_file(&f->tree, "var/lib/docker/containers/" ID "/config.v2.json",
		  "{\"Name\":\"/shop\"}");
	tree_dir(&f->tree, "var/lib/containers/storage/overlay-containers");
	tree_file(&f->tree, "var/lib/containers/storage/overlay-containers/containers.json",
		  "[{\"names\":3},{\"id\":\"" ID2 "\",\"names\":[\"mail\",\"old\"]}]");
	tree_dir(&f->tree, "var/log/containers");
	tree_file(&f->tree, "var/log/containers/x_y-" ID2 ".log", ""); /* not of that form */
	tree_file(&f->tree, "var/log/containers/api-7d_prod_main-" ID ".log", "");
	tree_file(&f->tree, "var/log/containers/db-0_stage_postgres-" ID2 ".log", "");
	(void)cgroup_table_name_by(f->cgroups, f->tree.root);
	assert_string_equal(name(f, "cgroup/docker/" ID, SECOND), "shop");
	assert_string_equal(name(f, "cgroup/machine.slice/libpod-" ID2 ".scope", SECOND), "mail");
	assert_string_equal(name(f, "cgroup/lxc.payload.web", SECOND), "web");
	c = get(f, pod, SECOND);
	assert_string_equal(cgroup_info(c)->name, "postgres");
	assert_string_equal(cgroup_info(c)->pod_namespace, "stage");
	c = get(f, "cgroup/system.slice/ssh.service", SECOND);
	assert_null(cgroup_info(c)->name);
}

static void a_container_whose_file_comes_later_is_named_then(void **state)
{
	struct fixture *f = *state;

	(void)cgroup_table_name_by(f->cgroups, f->tree.root);
	assert_null(name(f, "cgroup/docker/" ID, SECOND));
	tree_dir(&f->tree, "var/lib/docker/containers/" ID);
	tree_file(&f->tree, "var/lib/docker/containers/" ID "/config.v2.json",
		  "{\"Name\":\"/shop\"}");
	assert_null(name(f, "cgroup/docker/" ID, SECOND + 1));
	assert_string_equal(name(f, "cgroup/docker/" ID, 2 * SECOND), "shop");
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(id_is_the_inode_of_its_directory),
		FIXTURE_TEST(unknown_id_is_searched_again_after_a_second),
		FIXTURE_TEST(container_that_is_gone_keeps_its_name),
		FIXTURE_TEST(full_table_shares_one_nameless_entry),
		FIXTURE_TEST(cgroups_nobody_refers_to_make_room),
		FIXTURE_TEST(path_is_taken_with_and_without_the_mount),
		FIXTURE_TEST(path_that_is_no_cgroup_is_not_found),
		FIXTURE_TEST(mounts_are_found_by_their_type),
		FIXTURE_TEST(container_is_found_by_its_id_and_the_beginning_of_it),
		FIXTURE_TEST(container_is_found_by_the_name_its_runtime_gave_it),
		FIXTURE_TEST(containers_are_named_by_their_cgroup_and_their_runtimes_files),
		FIXTURE_TEST(a_container_whose_file_comes_later_is_named_then),
		FIXTURE_TEST(machine_without_v2_tree_still_gives_ids),
		cmocka_unit_test(path_that_is_unknown_names_no_container),
		cmocka_unit_test(container_is_that_of_v1_hierarchies),
		FIXTURE_TEST(v1_hierarchies_tell_what_the_v2_tree_does_not),
		cmocka_unit_test(real_tree_is_read_by_handle_or_by_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
