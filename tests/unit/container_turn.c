/* SPDX-License-Identifier: BSD-2-Clause */
/* What the reading of containers' files may cost, whoever makes work for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>

#include "owner/container_book.h"
#include "owner/container_file.h"
#include "owner/container_mount.h"
#include "owner/container_name.h"
#include "owner/container_turn.h"
#include "process_tree.h"

#define SECOND 1000000000ull
#define MS 1000000ull
#define HERD 2000u
#define ANN 1000u
#define STORAGE "home/ann/.local/share/containers/storage/overlay-containers"
#define HOSTS "00000000000000000000000000000000000000000000000000000000000000ff"
#define PASSWD "ann:x:1000:1000:Ann,,:/home/ann:/bin/sh\n"

static void id_of(unsigned int i, char id[65])
{
	(void)snprintf(id, 65, "%064x", i);
}

/* A list of almost 1 MiB, of which each container of the herd is; it is older than the clock's step. */
static void put_list(const struct tree *t, const char *name)
{
	char *text = malloc(CONTAINER_FILE_MAX + 256), id[65], path[512];
	size_t n = 0;
	struct timespec now;
	struct stat st;

	assert_non_null(text);
	for (unsigned int i = 0; n < CONTAINER_FILE_MAX - 512; i++) {
		id_of(i, id);
		n += (size_t)snprintf(text + n, 256,
				      "%c{\"id\":\"%s\",\"names\":[\"%s\"],\"metadata\":\"{}\"}",
				      i ? ',' : '[', id, name);
	}
	(void)strcpy(text + n, "]");
	tree_put(t, STORAGE, "containers.json", text);
	free(text);
	tree_path(t, path, sizeof(path), STORAGE "/containers.json");
	assert_int_equal(stat(path, &st), 0);
	do {
		assert_int_equal(clock_gettime(CLOCK_REALTIME_COARSE, &now), 0);
	} while (now.tv_sec == st.st_ctim.tv_sec && now.tv_nsec <= st.st_ctim.tv_nsec);
}

static struct container_page *page(struct container_book *b, const char *id, const char *runtime,
				   uint32_t owner, uint64_t now_ns)
{
	const struct cgroup c = { .container_id = (char *)(uintptr_t)id,
				  .runtime = runtime,
				  .owner = owner };

	return book_take(b, &c, now_ns);
}

static uint64_t clock_ns(void)
{
	struct timespec ts;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
	return (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec;
}

/* So many that each took as long as its list takes to parse: minutes. */
static void births_of_a_user_do_not_hold_the_loop(void **state)
{
	const struct tree *t = *state;
	struct cgroup_table *c;
	char path[256], id[65];
	uint64_t from, unread, remote;

	tree_put(t, "etc", "passwd", PASSWD);
	put_list(t, "mail");
	c = cgroup_table_name_by(cgroup_table_new("", 0), t->root);
	from = clock_ns();
	for (unsigned int i = 0; i < HERD; i++) {
		id_of(i, id);
		(void)snprintf(path, sizeof(path),
			       "/user.slice/user-1000.slice/user@1000.service/libpod-%s.scope", id);
		cgroup_table_born(c, (1ull << 40) + i, path, false, SECOND);
	}
	assert_true(clock_ns() - from < 3 * SECOND);
	cgroup_table_unread(c, &unread, &remote);
	assert_true(unread > HERD / 2);
	assert_int_equal(remote, 0);
	(void)cgroup_table_free(c);
}

/* What waits has its turn; the host's containers wait for no user's; one list is parsed once. */
static void who_has_many_waits_and_nobody_else_does(void **state)
{
	const struct tree *t = *state;
	struct container_book *b = book_new(t->root);
	static struct container_page *all[HERD];
	struct container_page *p;
	struct book_losses lost;
	unsigned int named = 0;
	uint64_t now = SECOND, looks;
	char id[65];

	tree_put(t, "etc", "passwd", PASSWD);
	put_list(t, "mail");
	tree_put(t, "var/lib/docker/containers/" HOSTS, "config.v2.json", "{\"Name\":\"/web\"}");
	for (unsigned int i = 0; i < HERD; i++) {
		id_of(i, id);
		all[i] = page(b, id, "podman", ANN, now);
		(void)book_read(b, all[i], now);
	}
	looks = book_looks(b);
	assert_true(looks >= 1 && looks < HERD / 2);
	book_lost(b, &lost);
	assert_int_equal(lost.unread, HERD - looks - 64);
	p = page(b, HOSTS, "docker", CONTAINER_OF_HOST, now);
	assert_string_equal(book_read(b, p, now)->name, "web");
	book_work(b, now);
	assert_int_equal(book_looks(b), looks + 1);
	for (int i = 0; i < 100 && book_looks(b) < looks + 65; i++)
		book_work(b, now += 10 * SECOND);
	assert_int_equal(book_looks(b), looks + 65);
	assert_int_equal(book_parsed(b), 1);
	for (unsigned int i = 0; i < looks + 64; i++)
		named += book_is_done(all[i]);
	assert_int_equal(named, looks + 64);
	/* it is another one now */
	put_list(t, "post");
	now += 1000 * SECOND;
	assert_string_equal(book_read(b, all[HERD - 1], now)->name, "post");
	assert_int_equal(book_parsed(b), 2);
	(void)book_free(b);
}

static void time_comes_back(void **state)
{
	struct turns t = {};
	unsigned int ann = turn_place(ANN), bob = turn_place(ANN + 1),
		     host = turn_place(CONTAINER_OF_HOST);

	(void)state;
	assert_true(turn_has(&t, ann, SECOND));
	turn_took(&t, ann, 30 * MS);
	assert_false(turn_has(&t, ann, SECOND));
	assert_true(turn_has(&t, host, SECOND));
	/* a twentieth for all, a hundredth for each */
	assert_false(turn_has(&t, bob, SECOND + 490 * MS));
	assert_true(turn_has(&t, bob, SECOND + 510 * MS));
	assert_false(turn_has(&t, ann, SECOND + 2490 * MS));
	assert_true(turn_has(&t, ann, SECOND + 2510 * MS));
	turn_took(&t, host, 10 * MS);
	assert_true(turn_has(&t, host, SECOND));
	turn_took(&t, host, 3600 * SECOND);
	assert_false(turn_has(&t, host, SECOND + 70 * MS));
	assert_true(turn_has(&t, host, SECOND + 90 * MS));
}

static void mounts_of_servers_and_programs_are_not_local(void **state)
{
	char text[] = "21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
		      "40 21 0:35 / /home rw shared:9 master:2 - nfs4 srv:/home rw\n"
		      "30 21 0:36 / /run rw - tmpfs tmpfs rw\n"
		      "41 21 0:37 / /home/a\\040-\\040b rw - fuse.sshfs a rw\n"
		      "42 21 0:38 / /net rw - autofs a rw\n"
		      "25 21 0:39 / /v rw - overlay overlay rw\n"
		      "x\n99\n98 1 ext4\n";
	int *ids, n = mounts_parse(text, &ids);

	(void)state;
	assert_int_equal(n, 3);
	assert_int_equal(ids[0], 21);
	assert_int_equal(ids[1], 25);
	assert_int_equal(ids[2], 30);
	free(ids);
}

static int named(const struct tree *t, struct container_cache *k, const char *name)
{
	const struct cgroup c = { .container_id = (char *)(uintptr_t)HOSTS,
				  .runtime = "docker",
				  .owner = ANN };
	struct container_info info = {};
	int r = container_name(t->root, k, &c, &info);
	bool same = name ? info.name && !strcmp(info.name, name) : !info.name;

	container_info_done(&info);
	return same ? r : -EPROTO;
}

/* 0: as expected; else the line. */
static int with_mounts(const struct tree *t, const char *path)
{
	struct container_cache *k = container_cache_new();

	if (!k || named(t, k, "web"))
		return __LINE__;
	if (mount("none", path, "tmpfs", 0, NULL) || named(t, k, NULL))
		return __LINE__;
	if (container_cache_remote(k) || umount(path) || named(t, k, "web"))
		return __LINE__;
	/* as FUSE and NFS, it is none of those that are known to answer */
	if (mount("none", path, "mqueue", 0, NULL) || named(t, k, NULL) != -EXDEV)
		return __LINE__;
	if (container_cache_remote(k) != 1 || umount(path) || named(t, k, "web"))
		return __LINE__;
	(void)container_cache_free(k);
	return 0;
}

static void as_root_what_may_never_answer_is_not_asked(void **state)
{
	const struct tree *t = *state;
	char path[256], to[256];
	int status;
	pid_t pid;

	if (geteuid())
		skip();
	tree_put(t, "etc", "passwd", PASSWD);
	tree_put(t, "var/home/ann/.local/share/docker/containers/" HOSTS, "config.v2.json",
		 "{\"Name\":\"/web\"}");
	/* by a link of the machine's */
	tree_path(t, to, sizeof(to), "home");
	assert_int_equal(symlink("var/home", to), 0);
	assert_int_equal(named(t, NULL, "web"), 0);
	tree_path(t, path, sizeof(path), "var/home/ann/.local");
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
			_exit(77);
		status = with_mounts(t, path);
		if (status)
			(void)fprintf(stderr, "line %d\n", status);
		_exit(status ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
	/* and by none of his */
	tree_path(t, to, sizeof(to), "var/home/ann/mine");
	assert_int_equal(rename(path, to), 0);
	assert_int_equal(symlink("mine", path), 0);
	assert_int_equal(named(t, NULL, NULL), 0);
}

#define TREE_TEST(name) cmocka_unit_test_setup_teardown(name, tree_setup, tree_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(births_of_a_user_do_not_hold_the_loop),
		TREE_TEST(who_has_many_waits_and_nobody_else_does),
		cmocka_unit_test(time_comes_back),
		cmocka_unit_test(mounts_of_servers_and_programs_are_not_local),
		TREE_TEST(as_root_what_may_never_answer_is_not_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
