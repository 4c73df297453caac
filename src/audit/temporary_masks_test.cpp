// Masks that a program sets temporarily or for itself: a restored mask is no repetition, and a program may compare what
// it set itself.

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "audit_findings.hpp"

namespace weir::audit {
namespace {

using namespace test_kit;  // NOLINT(google-build-using-namespace)

const std::string kMask = "import os\nos.environ['CUDA_VISIBLE_DEVICES'] = '1'\n";
const std::string kSet = "os.environ['CUDA_VISIBLE_DEVICES'] = ";

Lines reported_for(const std::string& rule, const std::string& text) {
  Policy none;
  return findings_of({{"a.py", text}}, none, {rule});
}

TEST(AuditTemporaryMasks, AMaskThatAPairOfMethodsRestoresIsNoRepetition) {
  const std::string manager =
      "class Card:\n    def __enter__(self):\n        self.old = os.environ.get('CUDA_VISIBLE_DEVICES')\n        " +
      kSet + "'1'\n    def __exit__(self, *rest):\n        " + kSet + "self.old\n";
  const std::string popped = "class Card:\n    def __enter__(self):\n        " + kSet +
                             "'1'\n    def __exit__(self, *rest):\n        os.environ.pop('CUDA_VISIBLE_DEVICES')\n";
  const std::string tests = "import unittest\nclass Case(unittest.TestCase):\n    def setUp(self):\n        " + kSet +
                            "'1'\n    def tearDown(self):\n        " + kSet + "'1'\n";
  const std::string generator =
      "import contextlib\n@contextlib.contextmanager\ndef card():\n    old = "
      "os.environ.get('CUDA_VISIBLE_DEVICES')\n    " +
      kSet + "'1'\n    try:\n        yield\n    finally:\n        " + kSet + "old\n";
  for (const std::string& text : {manager, popped, tests, generator}) {
    EXPECT_TRUE(reported_for("G07", kMask + text).empty()) << text;
    std::string other = text;
    for (std::size_t at = other.find("'1'"); at != std::string::npos; at = other.find("'1'"))
      other.replace(at, 3, "'0'");
    EXPECT_TRUE(reported_for("G06", kMask + other).empty()) << other;
  }
}

TEST(AuditTemporaryMasks, AMaskThatIsNotRestoredIsARepetition) {
  EXPECT_EQ(reported_for("G07", kMask + kSet + "'1'\n"), Lines{"a.py:3 G07"});
  EXPECT_EQ(reported_for("G07", kMask + "def start():\n    " + kSet + "'1'\nstart()\n"), Lines{"a.py:4 G07"});
  // An __exit__ that restores nothing.
  EXPECT_EQ(reported_for("G07", kMask + "class Card:\n    def __enter__(self):\n        " + kSet +
                                    "'1'\n    def __exit__(self, *rest):\n        pass\n"),
            Lines{"a.py:5 G07"});
}

TEST(AuditTemporaryMasks, ATestThatSetsTheMaskMayCompareIt) {
  const std::string compare = "    assert os.environ['CUDA_VISIBLE_DEVICES'] == '1'\n";
  for (const std::string& text :
       {"def test_card(monkeypatch):\n    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '1')\n" + compare,
        fmt::format("def test_card():\n    {}'1'\n{}", kSet, compare),
        fmt::format("def choose():\n    {}'1'\ndef test_card():\n    choose()\n{}", kSet, compare),
        "from unittest import mock\n@mock.patch.dict(os.environ, {'CUDA_VISIBLE_DEVICES': '1'})\ndef test_card():\n" +
            compare,
        "from unittest import mock\n@mock.patch.dict('os.environ', {'CUDA_VISIBLE_DEVICES': '1'})\ndef test_card():\n" +
            compare,
        "from unittest import mock\ndef test_card():\n    with mock.patch.dict(os.environ, {'CUDA_VISIBLE_DEVICES': "
        "'1'}):\n    " +
            compare})
    EXPECT_TRUE(reported_for("G15", "import os\n" + text).empty()) << text;
}

TEST(AuditTemporaryMasks, ComparingAnExternalMaskIsReported) {
  const std::string compare = "    if os.environ['CUDA_VISIBLE_DEVICES'] != '1':\n        raise SystemExit(1)\n";
  EXPECT_FALSE(reported_for("G15", "import os\ndef check():\n" + compare).empty());
  EXPECT_FALSE(
      reported_for("G15", "import os\nfrom dotenv import load_dotenv\ndef check():\n    load_dotenv()\n" + compare)
          .empty());
  EXPECT_FALSE(
      reported_for("G15", "import os\ndef check(monkeypatch):\n    monkeypatch.setenv('HOME', '/')\n" + compare)
          .empty());
  // The value before the comparison counts.
  EXPECT_FALSE(
      reported_for("G15", "import os\ndef check():\n    os.environ.setdefault('CUDA_VISIBLE_DEVICES', '1')\n" + compare)
          .empty());
  // A later write does not count for the comparison.
  EXPECT_FALSE(reported_for("G15", "import os\ndef check():\n" + compare + "    " + kSet + "'1'\n").empty());
}

TEST(AuditPrograms, AScriptThatPassesMainToExitIsAProgram) {
  const std::string start =
      "import os\nos.environ.setdefault('CUDA_DEVICE_ORDER', 'PCI_BUS_ID')\n"
      "os.environ.setdefault('CUDA_VISIBLE_DEVICES', '1')\nimport sys\nimport torch\n"
      "def main():\n    torch.ones(4).to('cuda:0')\n    return 0\n";
  for (const std::string call : {"main()\n", "sys.exit(main())\n", "raise SystemExit(main())\n"})
    EXPECT_EQ(findings_of({{"scripts/run2.py", start + call}}, one_device_policy(), {"G13"}).size(), 1U) << call;
  // The file is not executable, only creates something for others, or is imported by another file.
  EXPECT_TRUE(findings_of({{"scripts/run2.py", start}}, one_device_policy(), {"G13"}).empty());
  EXPECT_TRUE(findings_of({{"scripts/run2.py", start + "code = main()\n"}}, one_device_policy(), {"G13"}).empty());
  EXPECT_TRUE(has_rule(findings_of({{"lib.py", start + "sys.exit(main())\n"}, {"a.py", "import lib\n"}},
                                   one_device_policy(), {"G13"}),
                       "lib.py G13") == false);
}

}  // namespace
}  // namespace weir::audit
