#pragma once

#include <string>
#include <vector>

namespace weir::cli {

/// One item of a run, as a test case of JUnit, a test framework whose XML files many tools read.
struct TestCase {
  enum class Result { passed, skipped, failed };
  std::string name;
  Result result = Result::passed;
  std::string message;  ///< reason why it was skipped or failed
  std::string output;   ///< last part of the output of a failed item
  double seconds = 0;
};

/// Returns the cases as one test suite in JUnit XML. `suite`: name of the suite. Names, messages and output are
/// escaped, so that the XML is always well-formed. Source: https://github.com/testmoapp/junitxml, a description of the
/// format as tools read it.
std::string junit_text(const std::string& suite, const std::vector<TestCase>& cases);

}  // namespace weir::cli
