#include "observe/metrics.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <regex>
#include <set>
#include <sstream>

#include "observe/metrics_endpoint.hpp"

namespace weir::observe {
namespace {

constexpr MetricDefinition kCount{"weir_test_total", MetricType::counter, "Counts \\ and\nso on."};
constexpr MetricDefinition kLevel{"weir_test_bytes", MetricType::gauge, "A level."};

/// Checks the text format by its grammar (Prometheus documentation, "Exposition formats"). Returns the first line that
/// violates it; empty if there is none.
std::string first_wrong_line(const std::string& text) {
  static const std::string kName = "[a-zA-Z_:][a-zA-Z0-9_:]*";
  static const std::string kLabel = R"([a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\\\|\\"|\\n)*")";
  static const std::regex kSample("(" + kName + ")(?:\\{(?:" + kLabel + "(?:," + kLabel +
                                  ")*)?\\})? (?:[-+]?(?:[0-9.]+(?:[eE][-+]?[0-9]+)?|Inf)|NaN)");
  static const std::regex kHelp("# HELP (" + kName + ") (?:[^\\\\\n]|\\\\\\\\|\\\\n)*");
  static const std::regex kType("# TYPE (" + kName + ") (?:counter|gauge|histogram|summary|untyped)");
  std::istringstream lines{text};
  std::string family;
  std::set<std::string> typed;
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, match, kHelp)) continue;
    if (std::regex_match(line, match, kType)) {
      family = match[1];
      if (!typed.insert(family).second) return "twice: " + line;
      continue;
    }
    if (!std::regex_match(line, match, kSample) || match[1] != family) return line;
  }
  return text.empty() || text.back() == '\n' ? "" : "no newline at the end";
}

TEST(Metrics, TheTextFollowsTheExpositionFormat) {
  Metrics metrics;
  metrics.add(kCount, 1, {{"result", "done"}});
  metrics.add(kCount, 2.5, {{"result", "done"}});
  metrics.add(kCount, 1, {{"result", "a \"quoted\" \\ and\nbroken"}, {"device", "cpu:0-3"}});
  metrics.set(kLevel, 1e300);
  metrics.set(kLevel, -0.25, {{"kind", ""}});
  const std::string text = metrics.text();
  EXPECT_EQ(first_wrong_line(text), "") << text;
  EXPECT_NE(text.find("weir_test_total{result=\"done\"} 3.5\n"), std::string::npos) << text;
  EXPECT_NE(text.find("# TYPE weir_test_total counter\n"), std::string::npos);
}

TEST(Metrics, FirstWrongLineFindsViolationsOfTheFormat) {
  for (const char* wrong : {"weir_x{a=1} 2\n", "# TYPE weir_x counter\nweir_y 1\n", "1x 2\n", "# TYPE x odd\n",
                            "# TYPE x gauge\nx{a=\"b} 1\n", "# TYPE x gauge\nx 1"})
    EXPECT_NE(first_wrong_line(wrong), "") << wrong;
}

TEST(Metrics, LabelCombinationsBeyond256ShareOneValue) {
  Metrics metrics;
  for (int i = 0; i < 5000; ++i) metrics.add(kCount, 1, {{"name", std::to_string(i)}});
  const std::string text = metrics.text();
  EXPECT_LT(std::count(text.begin(), text.end(), '\n'), 300);
  EXPECT_NE(text.find("{overflow=\"true\"} 4744"), std::string::npos);
}

/// Sends the request to the port on this machine. Returns all that is received until the connection is closed.
std::string ask(int port, const std::string& request) {
  const FileDescriptor connection{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return "no connection";
  (void)send(connection.get(), request.data(), request.size(), MSG_NOSIGNAL);
  std::string answer;
  char piece[4096];
  for (ssize_t got = 0; (got = recv(connection.get(), piece, sizeof piece, 0)) > 0;)
    answer.append(piece, static_cast<std::size_t>(got));
  return answer;
}

TEST(MetricsEndpoint, AnswersAlsoAfterInvalidRequests) {
  Metrics metrics;
  metrics.add(kCount, 1);
  auto endpoint = MetricsEndpoint::open("127.0.0.1:0", metrics);
  ASSERT_TRUE(endpoint) << endpoint.error().what;
  const int port = (*endpoint)->port();
  const std::string good = ask(port, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(good.starts_with("HTTP/1.1 200 OK\r\n")) << good;
  const std::string body = good.substr(good.find("\r\n\r\n") + 4);
  EXPECT_EQ(body, metrics.text());
  EXPECT_TRUE(ask(port, "GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
  EXPECT_TRUE(ask(port, std::string(100'000, 'x')).size() < 200);
  EXPECT_TRUE(ask(port, "GET /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 200"));
}

TEST(MetricsEndpoint, InvalidAddressesAreRefused) {
  Metrics metrics;
  for (const char* address : {"", "9090", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:99999", "nowhere.example:1"})
    EXPECT_FALSE(MetricsEndpoint::open(address, metrics)) << address;
  auto first = MetricsEndpoint::open("127.0.0.1:0", metrics);
  ASSERT_TRUE(first);
  EXPECT_FALSE(MetricsEndpoint::open("127.0.0.1:" + std::to_string((*first)->port()), metrics));
}

}  // namespace
}  // namespace weir::observe
