// SPDX-License-Identifier: BSD-2-Clause
// A C++17 wrapper: ownership by RAII, handlers as std::function, errors as exceptions.
//	wrapper INTERFACE
#include <cerrno>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "embed.h"

namespace probe {

class error : public std::runtime_error {
public:
	error(int code, const netprobe_error &e)
		: std::runtime_error(std::string(e.msg) + (e.hint[0] ? "; " : "") + e.hint), code_(code)
	{
	}
	int code() const noexcept { return code_; }

private:
	int code_;
};

struct ban {
	std::string cidr, reason;
	std::optional<std::chrono::seconds> ttl; // none: no end
};

class manager {
public:
	using handler = std::function<void(const netprobe_event &)>;

	explicit manager(const netprobe_config &config)
	{
		netprobe_manager *m = nullptr;
		netprobe_error err{};
		check(netprobe_manager_new_with_config(&config, &m, &err), err);
		m_.reset(m);
	}

	void on(std::uint32_t families, handler fn)
	{
		handler_ = std::make_unique<handler>(std::move(fn));
		netprobe_error err{};
		check(netprobe_manager_set_event_handler(m_.get(), families, &call, handler_.get()), err);
	}

	void attach(const std::string &ifname)
	{
		netprobe_error err{};
		check(netprobe_manager_attach(m_.get(), ifname.c_str(), &err), err);
	}

	void detach(const std::string &ifname)
	{
		netprobe_error err{};
		check(netprobe_manager_detach(m_.get(), ifname.c_str(), &err), err);
	}

	int add(const std::vector<ban> &bans)
	{
		std::vector<netprobe_ban> raw;
		for (const auto &b : bans)
			raw.push_back(entry(b));
		netprobe_error err{};
		return check(netprobe_manager_change_list(m_.get(), nullptr, raw.data(), raw.size(), &err), err);
	}

	std::vector<ban> list() const
	{
		std::vector<ban> all;
		netprobe_error err{};
		check(netprobe_manager_banned(m_.get(), &keep, &all, &err), err);
		return all;
	}

	std::vector<ban> lookup(std::string_view cidr) const
	{
		std::vector<ban> all;
		netprobe_error err{};
		check(netprobe_manager_lookup(m_.get(), std::string(cidr).c_str(), &keep, &all, &err), err);
		return all;
	}

	int flush()
	{
		netprobe_error err{};
		return check(netprobe_manager_flush(m_.get()), err);
	}

private:
	struct deleter {
		void operator()(netprobe_manager *m) const noexcept { netprobe_manager_free(m); }
	};

	static int check(int r, const netprobe_error &err)
	{
		if (r < 0)
			throw error(r, err);
		return r;
	}

	static netprobe_ban entry(const ban &b)
	{
		netprobe_ban raw{};
		raw.size = sizeof(raw);
		raw.cidr = b.cidr.c_str();
		raw.ttl_s = b.ttl ? static_cast<std::uint32_t>(b.ttl->count()) : NETPROBE_NO_END;
		raw.reason = b.reason.empty() ? nullptr : b.reason.c_str();
		return raw;
	}

	// What is told is good during the call alone: copied.
	static int keep(const netprobe_ban *b, void *arg)
	{
		ban x{ b->cidr, b->reason ? b->reason : "", std::nullopt };
		if (b->ttl_s != NETPROBE_NO_END)
			x.ttl = std::chrono::seconds(b->ttl_s);
		static_cast<std::vector<ban> *>(arg)->push_back(std::move(x));
		return 0;
	}

	static void call(const netprobe_event *events, std::size_t n, void *arg)
	{
		for (std::size_t i = 0; i < n; i++)
			(*static_cast<handler *>(arg))(events[i]);
	}

	// Destroyed last: freeing the manager still calls it.
	std::unique_ptr<handler> handler_;
	std::unique_ptr<netprobe_manager, deleter> m_;
};

} // namespace probe

int main(int argc, char **argv)
{
	using namespace std::chrono_literals;
	std::map<std::string, int> told;
	netprobe_config config;

	TRUE(argc == 2);
	netprobe_config_default(&config);
	config.capture = NETPROBE_CAPTURE_NONE;
	try {
		probe::manager first(config);
		first.on(NETPROBE_EVENT_SECURITY, [&](const netprobe_event &e) {
			told[std::string(e.type) + ' ' + (e.security->source ? e.security->source : "-")]++;
		});
		probe::manager m(std::move(first));

		m.attach(argv[1]);
		SAME(m.add({ { "192.0.2.1", "one", 60s }, { "2001:db8::/32", "", std::nullopt } }), 2);
		SAME(m.list().size(), 2);
		TRUE(m.lookup("192.0.2.1").at(0).reason == "one");
		TRUE(!m.lookup("2001:db8::1").at(0).ttl);
		TRUE(m.lookup("192.0.2.2").empty());
		for (const auto &wrong : { probe::ban{ "127.0.0.1", "", 60s }, probe::ban{ "nowhere", "", 60s },
					   probe::ban{ "192.0.2.9", std::string(99, 'x'), 60s },
					   probe::ban{ "192.0.2.9", "", 0s } }) {
			try {
				m.add({ wrong });
				TRUE(!"taken");
			} catch (const probe::error &e) {
				SAME(e.code(), wrong.cidr == "127.0.0.1" ? -ECANCELED : -EINVAL);
				TRUE(e.what()[0]);
			}
		}
		SAME(m.list().size(), 2);
		TRUE(m.flush() >= 2);
		SAME(told["security.ban 192.0.2.1"], 1);
		SAME(told["security.ban 2001:db8::/32"], 1);
		m.detach(argv[1]);
	} catch (const probe::error &e) {
		std::fprintf(stderr, "%d: %s\n", e.code(), e.what());
		return 1;
	}
	std::puts("ok");
	return 0;
}
