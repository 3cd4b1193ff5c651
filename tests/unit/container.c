/* SPDX-License-Identifier: BSD-2-Clause */
/* Which container a cgroup's path names, and what the files of runtimes tell of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>

#include "owner/cgroup_watch.h"
#include "owner/container.h"
#include "owner/container_book.h"
#include "owner/container_file.h"
#include "owner/container_name.h"
#include "process_tree.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ID2 "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define UID "6f8ed8ab-1c2d-4e5f-8a9b-0c1d2e3f4a5b"
#define UID_ "6f8ed8ab_1c2d_4e5f_8a9b_0c1d2e3f4a5b"
#define BUILD "k1x9pq2m7z3w8v5t4s6r0y1ab"
#define USER "/user.slice/user-1000.slice/user@1000.service"
#define PODS "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_ ".slice"
#define SECOND 1000000000ull

#define HOST CONTAINER_OF_HOST
#define NOBODY CONTAINER_OF_NOBODY

static void check_text(const char *got, const char *want)
{
	if (want)
		assert_string_equal(got, want);
	else
		assert_null(got);
}

struct form {
	const char *path, *id, *runtime, *pod;
	uint32_t owner;
};

static void check_forms(const struct form *forms, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct cgroup c = { .path = (char *)forms[i].path };

		assert_int_equal(cgroup_parse_container(&c), 0);
		check_text(c.container_id, forms[i].id);
		check_text(c.runtime, forms[i].runtime);
		check_text(c.pod_uid, forms[i].pod);
		if (c.owner != (forms[i].owner ? forms[i].owner : HOST))
			fail_msg("%s: owner %u", forms[i].path, c.owner);
		free(c.container_id);
		free(c.pod_uid);
	}
}

static void paths_of_the_kubelet(void **state)
{
	static const struct form forms[] = {
		{ PODS "/cri-containerd-" ID ".scope", ID, "containerd", UID, HOST },
		{ PODS "/docker-" ID ".scope", ID, "docker", UID, HOST },
		{ PODS "/crio-" ID ".scope", ID, "cri-o", UID, HOST },
		{ PODS "/crio-" ID ".scope/container", ID, "cri-o", UID, HOST },
		{ PODS "/crio-conmon-" ID ".scope", NULL, NULL, UID, HOST },
		{ PODS "/kata_" ID, ID, "kata", UID, HOST },
		{ "/kata_overhead/" ID, ID, "kata", NULL, HOST },
		{ "/kubepods.slice/kubepods-pod" UID_ ".slice/crio-" ID ".scope", ID, "cri-o", UID,
		  HOST },
		{ "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" UID_
		  ".slice/cri-containerd-" ID ".scope",
		  ID, "containerd", UID, HOST },
		{ "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/"
		  "kubelet-kubepods-besteffort-pod" UID_ ".slice/cri-containerd-" ID ".scope",
		  ID, "containerd", UID, HOST },
		{ "/kubepods/burstable/pod" UID "/" ID, ID, NULL, UID, HOST },
		{ "/kubepods/besteffort/pod" UID "/" ID, ID, NULL, UID, HOST },
		{ "/kubepods/pod" UID "/" ID, ID, NULL, UID, HOST },
		{ "/kubepods/pod" UID "/crio-" ID, ID, "cri-o", UID, HOST },
		{ "/kubepods/besteffort/pod" UID, NULL, NULL, UID, HOST },
		{ "/kubepods/pod0123456789abcdef0123456789abcdef/" ID, ID, NULL,
		  "0123456789abcdef0123456789abcdef", HOST },
		{ "/kubepods.slice/kubepods-burstable.slice", NULL, NULL, NULL, HOST },
		/* drivers that disagree */
		{ "/system.slice/containerd.service/kubepods-burstable-pod" UID_
		  ".slice:cri-containerd:" ID,
		  ID, "containerd", UID, HOST },
		{ "/podruntime/kubelet", NULL, NULL, NULL, HOST },
		{ "/podruntime.slice/containerd.service", NULL, NULL, NULL, HOST },
	};

	(void)state;
	check_forms(forms, sizeof(forms) / sizeof(forms[0]));
}

static void paths_of_runtimes(void **state)
{
	static const struct form forms[] = {
		{ "/docker/" ID, ID, "docker", NULL, HOST },
		{ "/docker/notanid", NULL, NULL, NULL, HOST },
		{ "/system.slice/docker-" ID ".scope", ID, "docker", NULL, HOST },
		{ "/system.slice/docker-" ID ".scope/system.slice/nginx.service", ID, "docker",
		  NULL, HOST },
		{ "/docker/buildkit/" BUILD, BUILD, "buildkit", NULL, HOST },
		{ "/docker/buildkit", NULL, NULL, NULL, HOST },
		{ USER "/user.slice/docker-" ID ".scope", ID, "docker", NULL, 1000 },
		{ USER "/user@1001.service/docker-" ID ".scope", ID, "docker", NULL, 1000 },
		{ "/system.slice/nerdctl-" ID ".scope", ID, "containerd", NULL, HOST },
		{ "/default/" ID, ID, NULL, NULL, HOST },
		{ USER "/user.slice/nerdctl-" ID ".scope", ID, "containerd", NULL, 1000 },
		{ "/ecs/0f9e8d7c6b5a4f3e2d1c0b9a8f7e6d5c/" ID, ID, NULL, NULL, HOST },
		{ "/ecstasks.slice/ecstasks-0f9e8d7c.slice/docker-" ID ".scope", ID, "docker", NULL,
		  HOST },
		{ "/machine.slice/libpod-" ID ".scope", ID, "podman", NULL, HOST },
		{ "/machine.slice/libpod-" ID ".scope/container", ID, "podman", NULL, HOST },
		{ "/machine.slice/machine-libpod_pod_" ID2 ".slice/libpod-" ID ".scope/container",
		  ID, "podman", NULL, HOST },
		{ "/machine.slice/libpod-conmon-" ID ".scope", NULL, NULL, NULL, HOST },
		{ "/system.slice/web.service/libpod-payload-" ID, ID, "podman", NULL, HOST },
		{ "/system.slice/web.service/runtime", NULL, NULL, NULL, HOST },
		{ "/libpod_parent/libpod-" ID, ID, "podman", NULL, HOST },
		{ "/libpod_parent/conmon", NULL, NULL, NULL, HOST },
		{ USER "/user.slice/libpod-" ID ".scope/container", ID, "podman", NULL, 1000 },
		{ USER "/app.slice/web.service/libpod-payload-" ID, ID, "podman", NULL, 1000 },
		{ USER "/user.slice/user-libpod_pod_" ID2 ".slice/libpod-" ID ".scope", ID,
		  "podman", NULL, 1000 },
		{ "/system.slice/crun-web.scope", "web", "crun", NULL, HOST },
		{ "/system.slice/runc-web.scope", "web", "runc", NULL, HOST },
		{ "/system.slice/runc-web", NULL, NULL, NULL, HOST },
		{ "/lxc.payload.web1", "web1", "lxc", NULL, HOST },
		{ "/lxc.payload.web1/system.slice/ssh.service", "web1", "lxc", NULL, HOST },
		{ "/lxc.payload/web1", "web1", "lxc", NULL, HOST },
		{ "/lxc/web1", "web1", "lxc", NULL, HOST },
		{ "/lxc/web1/init.scope", "web1", "lxc", NULL, HOST },
		{ "/lxc.monitor.web1", NULL, NULL, NULL, HOST },
		{ "/machine.slice/machine-deb\\x2dbox.scope/payload", "deb-box", "systemd-nspawn",
		  NULL, HOST },
		{ "/machine.slice/systemd-nspawn@web.service/payload", "web", "systemd-nspawn",
		  NULL, HOST },
		{ "/machine.slice/machine-qemu\\x2d1\\x2dvm.scope", NULL, NULL, NULL, HOST },
		{ "/machine.slice/machine-lxc\\x2d12\\x2dweb.scope/libvirt", "web", "libvirt-lxc",
		  NULL, HOST },
		{ "/machine.slice/machine-.scope", NULL, NULL, NULL, HOST },
	};

	(void)state;
	check_forms(forms, sizeof(forms) / sizeof(forms[0]));
}

static void paths_of_what_is_no_container(void **state)
{
	static const struct form forms[] = {
		{ "/", NULL, NULL, NULL, HOST },
		{ "/init.scope", NULL, NULL, NULL, HOST },
		{ "/system.slice/docker.service", NULL, NULL, NULL, HOST },
		{ "/user.slice/user-1000.slice/session-2.scope", NULL, NULL, NULL, HOST },
		{ USER "/app.slice/app-flatpak-org.mozilla.firefox-4242.scope", NULL, NULL, NULL,
		  1000 },
		{ USER "/app.slice/snap.firefox.firefox-1b2c.scope", NULL, NULL, NULL, 1000 },
		{ "/azure.slice/walinuxagent.service", NULL, NULL, NULL, HOST },
		{ "/system.slice/" ID, NULL, NULL, NULL, HOST },
		{ "/user.slice/user@99999999999.service/x", NULL, NULL, NULL, HOST },
		{ "/user.slice/user@4294967295.service/x", NULL, NULL, NULL, HOST },
		{ "/user.slice/user@web.service/x", NULL, NULL, NULL, HOST },
	};

	(void)state;
	check_forms(forms, sizeof(forms) / sizeof(forms[0]));
}

/* Whoever is in a container, or has a systemd manager of his own, makes cgroups as he likes. */
static void the_deepest_container_is_named_and_its_files_are_no_hosts(void **state)
{
	static const struct form forms[] = {
		{ "/docker/" ID "/docker/" ID2, ID2, "docker", NULL, NOBODY },
		{ "/lxc.payload.ci/docker/" ID, ID, "docker", NULL, NOBODY },
		{ "/docker/" ID "/kubelet.slice/kubelet-kubepods.slice/"
		  "kubelet-kubepods-pod" UID_ ".slice/cri-containerd-" ID2 ".scope",
		  ID2, "containerd", UID, NOBODY },
		{ USER "/user.slice/libpod-" ID ".scope/docker/" ID2, ID2, "docker", NULL, NOBODY },
		/* one container, told twice */
		{ "/system.slice/docker-" ID ".scope/docker/" ID, ID, "docker", NULL, HOST },
	};

	(void)state;
	check_forms(forms, sizeof(forms) / sizeof(forms[0]));
}

static struct container_info ask(const struct tree *t, const char *path)
{
	struct cgroup c = { .path = (char *)path };
	struct container_info info = {};

	assert_int_equal(cgroup_parse_container(&c), 0);
	assert_non_null(c.container_id);
	assert_int_equal(container_name(t->root, NULL, &c, &info), 0);
	free(c.container_id);
	free(c.pod_uid);
	return info;
}

struct want {
	const char *name, *image, *pod_name, *pod_namespace, *project, *service, *runtime;
};

static void check(const struct tree *t, const char *path, struct want want)
{
	struct container_info info = ask(t, path);

	check_text(info.name, want.name);
	check_text(info.image, want.image);
	check_text(info.pod_name, want.pod_name);
	check_text(info.pod_namespace, want.pod_namespace);
	check_text(info.project, want.project);
	check_text(info.service, want.service);
	check_text(info.runtime, want.runtime);
	container_info_done(&info);
}

#define TASKS "run/containerd/io.containerd.runtime.v2.task/"
#define CRI                                                   \
	"{\"annotations\":{"                                  \
	"\"io.kubernetes.cri.container-type\":\"container\"," \
	"\"io.kubernetes.cri.container-name\":\"web\","       \
	"\"io.kubernetes.cri.image-name\":\"r/web:1\","       \
	"\"io.kubernetes.cri.sandbox-name\":\"web-0\","       \
	"\"io.kubernetes.cri.sandbox-namespace\":\"shop\"}}"

static void bundles_of_containerd(void **state)
{
	static const struct want cri = {
		"web", "r/web:1", "web-0", "shop", NULL, NULL, "containerd"
	};
	const struct tree *t = *state;
	char run[128];

	tree_put(t, TASKS "k8s.io/" ID, "config.json", CRI);
	tree_put(
		t, TASKS "default/" ID2, "config.json",
		"{\"annotations\":{\"nerdctl/name\":\"db\",\"com.docker.compose.project\":\"shop\","
		"\"com.docker.compose.service\":\"sql\",\"io.kubernetes.pod.name\":\"liar\","
		"\"io.kubernetes.cri.image-name\":\"liar\"}}");
	check(t, PODS "/cri-containerd-" ID ".scope", cri);
	check(t, "/kubepods/burstable/pod" UID "/" ID, cri);
	check(t, "/system.slice/nerdctl-" ID2 ".scope",
	      (struct want){
		      .name = "db", .project = "shop", .service = "sql", .runtime = "containerd" });
	check(t, "/default/" ID2,
	      (struct want){
		      .name = "db", .project = "shop", .service = "sql", .runtime = "containerd" });
	/* in a namespace of its own, and in the folder of another one */
	tree_path(t, run, sizeof(run), "run");
	tree_remove(run);
	tree_put(t, TASKS "mine/" ID, "config.json", "{\"annotations\":{\"nerdctl/name\":\"db\"}}");
	tree_put(t, "run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/" ID2, "config.json",
		 CRI);
	check(t, "/system.slice/nerdctl-" ID ".scope",
	      (struct want){ .name = "db", .runtime = "containerd" });
	check(t, PODS "/cri-containerd-" ID2 ".scope", cri);
}

static void bundles_of_crio(void **state)
{
	static const char text[] =
		"{\"annotations\":{\"io.kubernetes.container.name\":\"web\","
		"\"io.kubernetes.cri-o.ImageName\":\"r/web:1\",\"io.kubernetes.pod.name\":\"web-0\","
		"\"io.kubernetes.pod.namespace\":\"shop\"}}";
	static const struct want want = { "web", "r/web:1", "web-0", "shop", NULL, NULL, "cri-o" };
	const struct tree *t = *state;

	tree_put(t, "run/containers/storage/overlay-containers/" ID "/userdata", "config.json",
		 text);
	tree_put(t, "var/lib/containers/storage/overlay-containers/" ID2 "/userdata", "config.json",
		 text);
	check(t, PODS "/crio-" ID ".scope", want);
	check(t, "/kubepods/pod" UID "/crio-" ID2, want);
}

#define DOCKER_TEXT                                                                       \
	"{\"Name\":\"/shop-web-1\",\"Config\":{\"Image\":\"nginx:1.25\",\"Labels\":{"     \
	"\"com.docker.compose.project\":\"shop\",\"com.docker.compose.service\":\"web\"," \
	"\"io.kubernetes.pod.name\":\"web-0\",\"io.kubernetes.pod.namespace\":\"prod\","  \
	"\"io.kubernetes.container.name\":\"web\"}}}"

static void files_of_docker(void **state)
{
	const struct tree *t = *state;

	tree_put(t, "var/lib/docker/containers/" ID, "config.v2.json", DOCKER_TEXT);
	/* labels of the kubelet's are anybody's, unless the kubelet made the cgroup */
	check(t, "/system.slice/docker-" ID ".scope",
	      (struct want){ "shop-web-1", "nginx:1.25", NULL, NULL, "shop", "web", "docker" });
	check(t, PODS "/docker-" ID ".scope",
	      (struct want){ "web", "nginx:1.25", "web-0", "prod", "shop", "web", "docker" });
	check(t, "/kubepods/burstable/pod" UID "/" ID,
	      (struct want){ "web", "nginx:1.25", "web-0", "prod", "shop", "web", "docker" });
}

#define PODMAN_TEXT(id)                                 \
	"[{\"id\":\"" ID2 "x\",\"names\":[\"other\"]}," \
	"{\"id\":\"" id "\",\"names\":[\"mail\"],"      \
	"\"metadata\":\"{\\\"image-name\\\":\\\"docker.io/mail:2\\\",\\\"name\\\":\\\"mail\\\"}\"}]"

static void files_of_podman(void **state)
{
	static const struct want want = {
		.name = "mail", .image = "docker.io/mail:2", .project = "post", .runtime = "podman"
	};
	const struct tree *t = *state;

	tree_put(t, "var/lib/containers/storage/overlay-containers", "containers.json",
		 PODMAN_TEXT(ID));
	tree_put(t, "run/containers/storage/overlay-containers/" ID "/userdata", "config.json",
		 "{\"annotations\":{\"io.podman.compose.project\":\"post\"}}");
	check(t, "/machine.slice/libpod-" ID ".scope/container", want);
	check(t, "/system.slice/mail.service/libpod-payload-" ID, want);
}

static void a_users_containers_are_named_by_his_files_alone(void **state)
{
	const struct tree *t = *state;

	tree_put(t, "etc", "passwd",
		 "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000:Ann,,:/home/ann:/bin/sh\n");
	tree_put(t, "home/ann/.local/share/containers/storage/overlay-containers",
		 "containers.json", PODMAN_TEXT(ID));
	tree_put(t, "home/ann/.local/share/docker/containers/" ID, "config.v2.json", DOCKER_TEXT);
	check(t, USER "/user.slice/libpod-" ID ".scope",
	      (struct want){ .name = "mail", .image = "docker.io/mail:2", .runtime = "podman" });
	check(t, USER "/user.slice/docker-" ID ".scope",
	      (struct want){ "shop-web-1", "nginx:1.25", NULL, NULL, "shop", "web", "docker" });
	/* he has the id of one of root's: its name is not his */
	tree_put(t, "var/lib/docker/containers/" ID2, "config.v2.json", DOCKER_TEXT);
	tree_put(t, TASKS "k8s.io/" ID2, "config.json", CRI);
	check(t, USER "/docker-" ID2 ".scope", (struct want){ .name = NULL });
	check(t, USER "/cri-containerd-" ID2 ".scope", (struct want){ .name = NULL });
	check(t, USER "/kubepods/pod" UID "/" ID2, (struct want){ .name = NULL });
	check(t, "/lxc.payload.ci/docker/" ID2, (struct want){ .name = NULL });
	check(t, "/user.slice/user@7.service/docker-" ID ".scope", (struct want){ .name = NULL });
	/* and another one's: he may call a cgroup as he likes */
	check(t, USER "/user@1001.service/docker-" ID ".scope",
	      (struct want){ "shop-web-1", "nginx:1.25", NULL, NULL, "shop", "web", "docker" });
	check(t, "/user.slice/user@1001.service/user@1000.service/docker-" ID ".scope",
	      (struct want){ .name = NULL });
}

static void links_of_the_kubelet(void **state)
{
	const struct tree *t = *state;

	tree_put(t, "var/log/containers", "x_y-" ID2 ".log", ""); /* not of that form */
	tree_put(t, "var/log/containers", "_y_z-" ID2 ".log", "");
	tree_put(t, "var/log/containers", "api-7d_prod_main-" ID ".log", "");
	check(t, PODS "/kata_" ID,
	      (struct want){ "main", NULL, "api-7d", "prod", NULL, NULL, NULL });
	check(t, PODS "/cri-containerd-" ID2 ".scope", (struct want){ .name = NULL });
	check(t, "/docker/" ID, (struct want){ .name = NULL });
}

static void names_are_their_cgroups(void **state)
{
	const struct tree *t = *state;

	check(t, "/lxc.payload.web", (struct want){ .name = "web" });
	check(t, "/machine.slice/machine-deb\\x2dbox.scope", (struct want){ .name = "deb-box" });
	check(t, "/system.slice/crun-web.scope", (struct want){ .name = "web" });
}

static void texts_that_cannot_be_are_none(void **state)
{
	static const char *const broken[] = {
		"",
		"{",
		"[]",
		"3",
		"{\"Name\":3,\"Config\":7}",
		"{\"Name\":\"/\"}",
		"{\"Name\":\"\",\"Config\":{\"Image\":\"\",\"Labels\":[]}}",
		"{\"Name\":\"a\\u0000b\"}",
		"{\"Name\":\"\xff\"}",
	};
	const struct tree *t = *state;
	char *text = malloc(CONTAINER_FILE_MAX + 64);
	int n;

	assert_non_null(text);
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct container_info info;

		tree_put(t, "var/lib/docker/containers/" ID, "config.v2.json", broken[i]);
		info = ask(t, "/docker/" ID);
		assert_null(info.name);
		assert_null(info.image);
		container_info_done(&info);
	}
	/* longer than any name is */
	n = snprintf(text, 64, "{\"Name\":\"/");
	memset(text + n, 'a', 256);
	(void)strcpy(text + n + 256, "\"}");
	tree_put(t, "var/lib/docker/containers/" ID, "config.v2.json", text);
	check(t, "/docker/" ID, (struct want){ .runtime = "docker" });
	/* and a file of more than 1 MiB, which a byte less is not */
	n = snprintf(text, 64, "{\"Name\":\"/web\"}");
	memset(text + n, ' ', CONTAINER_FILE_MAX - (size_t)n);
	text[CONTAINER_FILE_MAX] = '\0';
	tree_put(t, "var/lib/docker/containers/" ID, "config.v2.json", text);
	check(t, "/docker/" ID, (struct want){ .name = "web", .runtime = "docker" });
	(void)strcpy(text + CONTAINER_FILE_MAX, " ");
	tree_put(t, "var/lib/docker/containers/" ID, "config.v2.json", text);
	check(t, "/docker/" ID, (struct want){ .name = NULL });
	free(text);
}

/* As the file, and as a folder on the way to it. */
static void no_link_is_followed_and_no_pipe_waited_for(void **state)
{
	const struct tree *t = *state;
	char at[256], to[256], folder[256];
	int fd;

	tree_put(t, "var/lib/docker/containers/" ID, "config.v2.json", DOCKER_TEXT);
	tree_put(t, "elsewhere", "config.v2.json", DOCKER_TEXT);
	tree_path(t, at, sizeof(at), "var/lib/docker/containers/" ID "/config.v2.json");
	tree_path(t, to, sizeof(to), "elsewhere/config.v2.json");
	tree_path(t, folder, sizeof(folder), "var/lib/docker/containers/" ID2);
	assert_int_equal(unlink(at), 0);
	assert_int_equal(symlink(to, at), 0);
	check(t, "/docker/" ID, (struct want){ .name = NULL });
	assert_int_equal(unlink(at), 0);
	assert_int_equal(mkfifo(at, 0600), 0);
	check(t, "/docker/" ID, (struct want){ .name = NULL });
	assert_int_equal(unlink(at), 0);
	assert_int_equal(mkdir(at, 0700), 0);
	check(t, "/docker/" ID, (struct want){ .name = NULL });
	tree_path(t, to, sizeof(to), "elsewhere");
	assert_int_equal(symlink(to, folder), 0);
	check(t, "/docker/" ID2, (struct want){ .name = NULL });
	assert_int_equal(unlink(folder), 0);
	/* the folder of all may be a link: it is the machine's */
	tree_remove(at);
	tree_path(t, at, sizeof(at), "var/lib/docker");
	tree_path(t, to, sizeof(to), "data");
	assert_int_equal(rename(at, to), 0);
	assert_int_equal(symlink(to, at), 0);
	tree_put(t, "data/containers/" ID, "config.v2.json", DOCKER_TEXT);
	check(t, "/docker/" ID,
	      (struct want){ "shop-web-1", "nginx:1.25", NULL, NULL, "shop", "web", "docker" });
	fd = container_folder_open(t->root, "/data/containers");
	assert_true(fd >= 0);
	assert_null(container_file_load(fd, "../containers/" ID "/config.v2.json"));
	assert_null(container_file_load(fd, "./" ID "/config.v2.json"));
	assert_null(container_file_load(fd, "/" ID "/config.v2.json"));
	assert_null(container_file_load(fd, ""));
	assert_int_equal(close(fd), 0);
}

static int find(const struct tree *t, unsigned int kind, const char *what,
		struct container_cgroup ret[4])
{
	char mount[128];

	tree_path(t, mount, sizeof(mount), "cgroup");
	return container_find_group(mount, t->root, kind, what, ret, 4);
}

static uint64_t inode(const struct tree *t, const char *path)
{
	char full[512];
	struct stat st;

	tree_path(t, full, sizeof(full), path);
	assert_int_equal(stat(full, &st), 0);
	return st.st_ino;
}

static void pods_namespaces_and_units_are_found_in_the_tree(void **state)
{
	static const char other[] = "cgroup/kubepods.slice/kubepods-pod"
				    "11111111_1c2d_4e5f_8a9b_0c1d2e3f4a5b.slice";
	const struct tree *t = *state;
	struct container_cgroup c[4];
	char path[512];

	tree_dir(t, "cgroup" PODS "/cri-containerd-" ID ".scope");
	(void)snprintf(path, sizeof(path), "%s/cri-containerd-" ID2 ".scope", other);
	tree_dir(t, path);
	tree_dir(t, "cgroup/system.slice/nginx.service");
	tree_dir(t, "cgroup/system.slice/nginx.service/x.scope");
	tree_dir(t, "cgroup/system.slice/nginx.service.d");
	tree_put(t, TASKS "k8s.io/" ID, "config.json", CRI);
	tree_put(t, TASKS "k8s.io/" ID2, "config.json",
		 "{\"annotations\":{\"io.kubernetes.cri.sandbox-name\":\"web-0\","
		 "\"io.kubernetes.cri.sandbox-namespace\":\"stage\"}}");
	assert_int_equal(find(t, FIND_POD, UID, c), 1);
	assert_true(c[0].id == inode(t, "cgroup" PODS));
	assert_int_equal(c[0].level, 3);
	assert_int_equal(find(t, FIND_POD, "web-0", c), -ENOTUNIQ);
	assert_int_equal(find(t, FIND_POD, "stage/web-0", c), 1);
	assert_true(c[0].id == inode(t, other));
	assert_int_equal(find(t, FIND_POD, "sho/web-0", c), -ENOENT);
	assert_int_equal(find(t, FIND_POD, "", c), -ENOENT);
	assert_int_equal(find(t, FIND_NAMESPACE, "shop", c), 1);
	assert_true(c[0].id == inode(t, "cgroup" PODS));
	assert_int_equal(find(t, FIND_NAMESPACE, "web-0", c), -ENOENT);
	assert_int_equal(find(t, FIND_UNIT, "nginx", c), 1);
	assert_true(c[0].id == inode(t, "cgroup/system.slice/nginx.service"));
	assert_int_equal(find(t, FIND_UNIT, "nginx.service", c), 1);
	assert_int_equal(find(t, FIND_UNIT, "system.slice", c), 1);
	assert_int_equal(find(t, FIND_UNIT, "system", c), -ENOENT);
	assert_int_equal(find(t, FIND_UNIT, "ngin", c), -ENOENT);
	assert_int_equal(find(t, FIND_UNIT, "nginx.service.d", c), -ENOENT);
}

static struct container_page *page(struct container_book *b, char *id, uint64_t now_ns)
{
	const struct cgroup c = { .container_id = id, .runtime = "docker", .owner = HOST };

	return book_take(b, &c, now_ns);
}

/* A container is gone, with its files, and is told of ten minutes more; as long as somebody refers to it, for ever. */
static void a_name_outlives_its_container(void **state)
{
	const struct tree *t = *state;
	struct container_book *b = book_new(t->root);
	struct container_page *p = page(b, (char *)ID, SECOND);

	tree_put(t, "var/lib/docker/containers/" ID, "config.v2.json", DOCKER_TEXT);
	assert_string_equal(book_read(b, p, SECOND)->name, "shop-web-1");
	tree_remove(t->root);
	book_tick(b, 5000 * SECOND);
	assert_string_equal(book_read(b, p, 5000 * SECOND)->name, "shop-web-1");
	book_give(b, p, 5000 * SECOND);
	book_tick(b, 5599 * SECOND);
	p = page(b, (char *)ID, 5599 * SECOND);
	assert_string_equal(book_read(b, p, 5599 * SECOND)->name, "shop-web-1");
	book_give(b, p, 6000 * SECOND);
	book_tick(b, 6600 * SECOND);
	assert_int_equal(book_pages(b), 0);
	(void)book_free(b);
}

static void of_too_many_names_the_oldest_go(void **state)
{
	const struct tree *t = *state;
	struct container_book *b = book_new(t->root);
	struct container_page *kept = page(b, (char *)ID, SECOND);
	char id[32];

	for (unsigned int i = 0; i < BOOK_IDLE_MAX + 100; i++) {
		(void)snprintf(id, sizeof(id), "%u", i);
		book_give(b, page(b, id, SECOND), SECOND);
	}
	book_tick(b, SECOND);
	assert_int_equal(book_pages(b), BOOK_IDLE_MAX + 1);
	assert_ptr_equal(page(b, (char *)ID, SECOND), kept);
	assert_int_equal(book_pages(b), BOOK_IDLE_MAX + 1);
	(void)page(b, (char *)"0", SECOND);
	assert_int_equal(book_pages(b), BOOK_IDLE_MAX + 2); /* it was gone */
	(void)book_free(b);
}

static void a_cgroup_that_is_gone_is_known_from_its_birth(void **state)
{
	const struct tree *t = *state;
	struct cgroup_table *c;
	char mount[128];

	tree_dir(t, "cgroup");
	tree_path(t, mount, sizeof(mount), "cgroup");
	c = cgroup_table_name_by(cgroup_table_new(mount, 0), t->root);
	tree_put(t, "var/lib/docker/containers/" ID, "config.v2.json", DOCKER_TEXT);
	cgroup_table_born(c, 1ull << 40, "/docker/" ID, false, SECOND);
	cgroup_table_born(c, 5, "/docker/" ID2, true, SECOND);
	tree_remove(t->root);
	assert_string_equal(cgroup_table_get(c, 1ull << 40, 500 * SECOND)->path, "/docker/" ID);
	assert_string_equal(cgroup_info(cgroup_table_get(c, 1ull << 40, 500 * SECOND))->name,
			    "shop-web-1");
	assert_null(cgroup_table_get(c, 5, 500 * SECOND)->path);
	/* nobody asked for ten minutes, and nobody has it */
	cgroup_table_tick(c, 1000 * SECOND);
	assert_non_null(cgroup_table_get(c, 1ull << 40, 1000 * SECOND)->path);
	cgroup_table_tick(c, 1700 * SECOND);
	assert_null(cgroup_table_get(c, 1ull << 40, 1700 * SECOND)->path);
	(void)cgroup_table_free(c);
}

/* By inotify, which any folder has. */
static void cgroups_that_are_made_are_watched_for(void **state)
{
	const struct tree *t = *state;
	struct cgroup_watch *w;
	struct cgroup_table *c;
	char mount[128], path[256];
	uint64_t id;

	tree_dir(t, "cgroup/system.slice");
	tree_path(t, mount, sizeof(mount), "cgroup");
	tree_put(t, "var/lib/docker/containers/" ID, "config.v2.json", DOCKER_TEXT);
	c = cgroup_table_name_by(cgroup_table_new(mount, 0), t->root);
	w = cgroup_watch_new(c);
	assert_non_null(w);
	cgroup_watch_poll(w, SECOND);
	tree_dir(t, "cgroup/system.slice/docker-" ID ".scope/init.scope");
	cgroup_watch_poll(w, SECOND);
	/* in one that was made a moment ago */
	tree_dir(t, "cgroup/system.slice/docker-" ID ".scope/late");
	assert_int_equal(cgroup_lookup_path(c, "/system.slice/docker-" ID ".scope/late", &id, NULL),
			 0);
	cgroup_watch_poll(w, SECOND);
	tree_path(t, path, sizeof(path), "cgroup/system.slice");
	tree_remove(path);
	tree_path(t, path, sizeof(path), "var");
	tree_remove(path);
	cgroup_watch_poll(w, SECOND);
	assert_string_equal(cgroup_table_get(c, id, SECOND)->path,
			    "/system.slice/docker-" ID ".scope/late");
	assert_string_equal(cgroup_info(cgroup_table_get(c, id, SECOND))->name, "shop-web-1");
	/* and where there was one before */
	tree_dir(t, "cgroup/system.slice/ssh.service");
	assert_int_equal(cgroup_lookup_path(c, "/system.slice/ssh.service", &id, NULL), 0);
	cgroup_watch_poll(w, SECOND);
	tree_path(t, path, sizeof(path), "cgroup/system.slice");
	tree_remove(path);
	assert_string_equal(cgroup_table_get(c, id, SECOND)->path, "/system.slice/ssh.service");
	(void)cgroup_watch_free(w);
	(void)cgroup_table_free(c);
	assert_null(cgroup_watch_new(NULL));
	assert_null(cgroup_watch_free(NULL));
	cgroup_watch_poll(NULL, SECOND);
}

#define TREE_TEST(name) cmocka_unit_test_setup_teardown(name, tree_setup, tree_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_of_the_kubelet),
		cmocka_unit_test(paths_of_runtimes),
		cmocka_unit_test(paths_of_what_is_no_container),
		cmocka_unit_test(the_deepest_container_is_named_and_its_files_are_no_hosts),
		TREE_TEST(bundles_of_containerd),
		TREE_TEST(bundles_of_crio),
		TREE_TEST(files_of_docker),
		TREE_TEST(files_of_podman),
		TREE_TEST(a_users_containers_are_named_by_his_files_alone),
		TREE_TEST(links_of_the_kubelet),
		TREE_TEST(names_are_their_cgroups),
		TREE_TEST(texts_that_cannot_be_are_none),
		TREE_TEST(no_link_is_followed_and_no_pipe_waited_for),
		TREE_TEST(a_name_outlives_its_container),
		TREE_TEST(of_too_many_names_the_oldest_go),
		TREE_TEST(a_cgroup_that_is_gone_is_known_from_its_birth),
		TREE_TEST(cgroups_that_are_made_are_watched_for),
		TREE_TEST(pods_namespaces_and_units_are_found_in_the_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
