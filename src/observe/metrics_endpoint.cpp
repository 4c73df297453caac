#include "observe/metrics_endpoint.hpp"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>

#include <fmt/format.h>
#include <netinet/in.h>

#include "base/text.hpp"
#include "base/threads.hpp"

namespace weir::observe {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kMaxRequestBytes = 4096;
constexpr auto kTimeout = std::chrono::seconds{2};  // for a request to arrive, and for a response to be sent
constexpr int kPollMs = 100;                        // interval in which a wait checks for a stop request

/// Waits until poll(2) reports one of the events. Returns false at the deadline or after a stop request.
bool wait_for(int fd, short events, Clock::time_point deadline, const std::stop_token& stop) {
  pollfd wait{fd, events, 0};
  while (!stop.stop_requested() && Clock::now() < deadline) {
    if (poll(&wait, 1, kPollMs) > 0) return true;
  }
  return false;
}

/// Returns the start of a request, up to the end of its headers or about kMaxRequestBytes; empty if it does not arrive
/// in time.
std::string read_request(int fd, const std::stop_token& stop) {
  const auto deadline = Clock::now() + kTimeout;
  std::string request;
  char piece[1024];
  while (request.size() < kMaxRequestBytes && request.find("\r\n\r\n") == std::string::npos) {
    if (!wait_for(fd, POLLIN, deadline, stop)) return {};
    const ssize_t got = recv(fd, piece, sizeof piece, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return {};
    if (got > 0) request.append(piece, static_cast<std::size_t>(got));
  }
  return request;
}

/// Sends the text; gives up after kTimeout.
void send_all(int fd, std::string_view text, const std::stop_token& stop) {
  const auto deadline = Clock::now() + kTimeout;
  while (!text.empty() && wait_for(fd, POLLOUT, deadline, stop)) {
    const ssize_t sent = send(fd, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return;
    if (sent > 0) text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string response_to(std::string_view request, const Metrics& metrics) {
  const bool is_metrics_request = request.starts_with("GET /metrics ") || request.starts_with("GET /metrics?");
  const std::string body = is_metrics_request ? metrics.text() : "weir: GET /metrics\n";
  const char* type = is_metrics_request ? "text/plain; version=0.0.4; charset=utf-8" : "text/plain; charset=utf-8";
  return fmt::format("HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
                     is_metrics_request ? "200 OK" : "404 Not Found", type, body.size(), body);
}

void serve(int listener, const Metrics& metrics, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (!wait_for(listener, POLLIN, Clock::now() + std::chrono::hours{1}, stop)) continue;  // then waits again
    const FileDescriptor connection{accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)};
    if (!connection) continue;
    const std::string request = read_request(connection.get(), stop);
    if (!request.empty()) send_all(connection.get(), response_to(request, metrics), stop);
  }
}

/// Returns the port that the socket is bound to; 0 if it is not known.
int port_of(int socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0) return 0;
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(address).sin6_port
                                             : reinterpret_cast<sockaddr_in&>(address).sin_port);
}

/// Opens a socket that listens on the host (a numeric address) and port. `address`: both, for messages.
Result<FileDescriptor> listen_on(const std::string& host, const std::string& port, const std::string& address) {
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0)
    return Error{Errc::invalid_argument,
                 fmt::format("'{}' is not an address; write 127.0.0.1:9090 or [::1]:9090", printable(address))};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner{found, freeaddrinfo};
  FileDescriptor listener{socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, 0)};
  const int enabled = 1;
  if (listener) setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &enabled, sizeof enabled);
  if (!listener || bind(listener.get(), found->ai_addr, found->ai_addrlen) != 0 ||
      listen(listener.get(), /*backlog=*/16) != 0)
    return Error{Errc::io, fmt::format("metrics on {}: {}", printable(address), errno_text(errno))};
  return listener;
}

}  // namespace

Result<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::open(const std::string& address, const Metrics& metrics) {
  const std::size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  const std::string port = colon == std::string::npos ? std::string{} : address.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (!parse_integer(port, 0, 65535))
    return Error{Errc::invalid_argument, fmt::format("'{}' has no port; write 127.0.0.1:9090", printable(address))};
  auto listener = listen_on(host, port, address);
  if (!listener) return listener.error();
  const int bound_port = port_of(listener->get());
  std::unique_ptr<MetricsEndpoint> endpoint{new MetricsEndpoint{*std::move(listener), bound_port}};
  if (auto started = endpoint->start(metrics); !started) return started.error();
  return endpoint;
}

MetricsEndpoint::MetricsEndpoint(FileDescriptor listener, int port) : listener_{std::move(listener)}, port_{port} {}

Status MetricsEndpoint::start(const Metrics& metrics) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);  // only the main thread handles signals
  auto thread = start_thread([this, &metrics](const std::stop_token& stop) { serve(listener_.get(), metrics, stop); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (!thread) return thread.error();
  thread_ = *std::move(thread);
  return ok();
}

MetricsEndpoint::~MetricsEndpoint() = default;

}  // namespace weir::observe
