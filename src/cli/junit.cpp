#include "cli/junit.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weir::cli {
namespace {

std::string attribute(const std::string& text) { return escape_markup(printable(text)); }

/// Escapes the text for the body of an XML element. Escapes each line separately, so that the line ends stay:
/// printable() escapes all control characters, because XML cannot represent them.
std::string body(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    out += escape_markup(printable(text.substr(0, end))) + '\n';
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return out;
}

std::string to_xml(const TestCase& one, const std::string& suite) {
  const std::string head = fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\"", attribute(suite),
                                       attribute(one.name), one.seconds);
  switch (one.result) {
    case TestCase::Result::passed:
      return head + "/>\n";
    case TestCase::Result::skipped:
      return fmt::format("{}><skipped message=\"{}\"/></testcase>\n", head, attribute(one.message));
    case TestCase::Result::failed:
      break;
  }
  return fmt::format("{}><failure message=\"{}\">{}</failure></testcase>\n", head, attribute(one.message),
                     body(one.output));
}

}  // namespace

std::string junit_text(const std::string& suite, const std::vector<TestCase>& cases) {
  const auto count = [&](TestCase::Result result) {
    return std::count_if(cases.begin(), cases.end(), [&](const TestCase& one) { return one.result == result; });
  };
  double seconds = 0;
  std::string all;
  for (const TestCase& one : cases) {
    seconds += one.seconds;
    all += to_xml(one, suite);
  }
  const std::string numbers =
      fmt::format("tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"{:.3f}\"", cases.size(),
                  count(TestCase::Result::failed), count(TestCase::Result::skipped), seconds);
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {0}>\n  <testsuite name=\"{1}\" {0}>\n{2}"
      "  </testsuite>\n</testsuites>\n",
      numbers, attribute(suite), all);
}

}  // namespace weir::cli
