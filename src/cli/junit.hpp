#pragma once

#include <string>
#include <vector>

namespace weir::cli {

/// One item of a run, as a test case.
struct TestCase {
  enum class Result { passed, skipped, failed };
  std::string name;
  Result result = Result::passed;
  std::string message;  ///< why it was skipped or failed
  std::string output;   ///< the end of what a failed one said
  double seconds = 0;
};

/// The cases as one suite in the XML that continuous integration reads. Anything but plain text in names, messages and
/// output is escaped, so that the file is always well-formed.
/// Source  https://github.com/testmoapp/junitxml, a description of the format as tools read it.
std::string junit_text(const std::string& suite, const std::vector<TestCase>& cases);

}  // namespace weir::cli
