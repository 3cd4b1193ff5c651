/* SPDX-License-Identifier: BSD-2-Clause */
/* See kinds.h. */
#include "tui/kinds.h"

const struct view_kind view_kinds[NETPROBE_VIEW_MAX] = {
	[NETPROBE_VIEW_PROCESS] = { '1', "process", "Processes", "Proc", "PROCESS",
				    "A process with sockets, by the name it gives itself.", 14, 20,
				    30 },
	[NETPROBE_VIEW_CONNECTION] = { '2', "connection", "Connections", "Conn", "CONNECTION",
				       "A socket: its own address and port, and those of the other "
				       "end; * is none yet.",
				       22, 45, 60 },
	[NETPROBE_VIEW_CONTAINER] = { '3', "container", "Containers", "Cont", "CONTAINER",
				      "A container, or a cgroup that is none; host is the machine.",
				      16, 36, 70 },
	[NETPROBE_VIEW_REMOTE] = { '4', "remote", "Remotes", "Host", "REMOTE HOST",
				   "The other end's address; 'no peer' is of sockets that send to "
				   "nobody in particular.",
				   16, 24, 40 },
	[NETPROBE_VIEW_INTERFACE] = { '5', "interface", "Interfaces", "If", "INTERFACE",
				      "An interface; ? is of sockets whose packets took none that is "
				      "known; eth0@blue is in the namespace that ip netns calls blue. "
				      "'unowned' and 'forwarded' are bytes on the wire that no "
				      "socket here moved.",
				      10, 16, 20 },
	[NETPROBE_VIEW_PROGRAM] = { '6', "program", "Programs", "Prog", "PROGRAM",
				    "All processes that run one program, those that ended too.", 14,
				    24, 40 },
	[NETPROBE_VIEW_USER] = { '7', "user", "Users", "User", "USER",
				 "All processes of one user, those that ended too.", 12, 16, 24 },
	[NETPROBE_VIEW_UNIT] = { '8', "unit", "Units", "Unit", "UNIT",
				 "A systemd unit: a service, a scope, or else a slice.", 16, 30,
				 50 },
	[NETPROBE_VIEW_POD] = { '0', "pod", "Pods", "Pod", "POD", "A Kubernetes pod, by its UID.",
				16, 36, 40 },
	[NETPROBE_VIEW_NAMESPACE] = { 0, "namespace", "Namespaces", "Ns", "NAMESPACE",
				      "All pods of one Kubernetes namespace.", 14, 24, 40 },
	[NETPROBE_VIEW_IMAGE] = { 0, "image", "Images", "Img", "IMAGE",
				  "All containers that were made of one image.", 16, 30, 50 },
	[NETPROBE_VIEW_LISTEN] = { '9', "listen", "Listening", "Listen", "LISTENS AT",
				   "A socket that waits: for connections (TCP), or for datagrams of "
				   "anybody (UDP).",
				   20, 28, 45 },
};
