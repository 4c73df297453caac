#include "cli/junit.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weir::cli {
namespace {

std::string escape_attribute(const std::string& text) { return escape_markup(printable(text)); }

/// Escapes the text for the body of an XML element. Escapes each line separately, so that the line ends stay:
/// printable() escapes all control characters, because XML cannot represent them.
std::string escape_body(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    out += escape_markup(printable(text.substr(0, end))) + '\n';
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return out;
}

std::string to_xml(const TestCase& test_case, const std::string& suite) {
  const std::string head = fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\"",
                                       escape_attribute(suite), escape_attribute(test_case.name), test_case.seconds);
  switch (test_case.result) {
    case TestCase::Result::passed:
      return head + "/>\n";
    case TestCase::Result::skipped:
      return fmt::format("{}><skipped message=\"{}\"/></testcase>\n", head, escape_attribute(test_case.message));
    case TestCase::Result::failed:
      break;
  }
  return fmt::format("{}><failure message=\"{}\">{}</failure></testcase>\n", head, escape_attribute(test_case.message),
                     escape_body(test_case.output));
}

}  // namespace

std::string junit_text(const std::string& suite, const std::vector<TestCase>& cases) {
  const auto count = [&](TestCase::Result result) {
    return std::count_if(cases.begin(), cases.end(),
                         [&](const TestCase& test_case) { return test_case.result == result; });
  };
  double seconds = 0;
  std::string test_cases;
  for (const TestCase& test_case : cases) {
    seconds += test_case.seconds;
    test_cases += to_xml(test_case, suite);
  }
  const std::string count_attributes =
      fmt::format("tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"{:.3f}\"", cases.size(),
                  count(TestCase::Result::failed), count(TestCase::Result::skipped), seconds);
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {0}>\n  <testsuite name=\"{1}\" {0}>\n{2}"
      "  </testsuite>\n</testsuites>\n",
      count_attributes, escape_attribute(suite), test_cases);
}

}  // namespace weir::cli
