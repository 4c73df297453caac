// Masks in the many forms of shell scripts. Each script is audited, fixed, and run by bash before and after, with a
// command that records its environment. A command that saw a mask must see the same one, now with an order; all other
// commands must see no change.

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "audit/run_program.hpp"
#include "audit_findings.hpp"

namespace weir::audit {
namespace {

using namespace test_kit;  // NOLINT(google-build-using-namespace)
namespace fs = std::filesystem;

/// Replaces "X" by the name of the mask variable.
std::string spelled(std::string text) {
  const std::string name = "CUDA_VISIBLE_DEVICES";
  for (std::size_t at = text.find('X'); at != std::string::npos; at = text.find('X', at + name.size()))
    text.replace(at, 1, name);
  return text;
}

/// Returns the lines that a rule reports in a script, with a policy of card 1.
std::set<std::string> reported_lines(const std::string& script, const std::string& rule) {
  return findings_of({{"run.sh", spelled(script)}}, one_device_policy(), {rule});
}

/// A script of a test. "X" in its text stands for CUDA_VISIBLE_DEVICES.
struct Script {
  const char* text;
  const char* seen;  ///< the masks that the runs of "see" record, in any order; "-": no mask; null: not to be run
};

// "see" records its environment. The fixer repairs every mask in these.
const std::vector<Script> kFixed{
    {"X=1 see\n", "1"},
    {"time X=0 see\n", "0"},
    {"time -p X=0 see\n", "0"},
    {"env X=0 see\n", "0"},
    {"env -u A B=2 X=0 see\n", "0"},
    {"nohup env X=0 see\n", "0"},
    {"sudo -E X=1 see\n", "1"},
    {"nice -n 5 env X=0 see\n", "0"},
    {"(exec env X=0 see)\n", "0"},
    {"timeout 9 env X=1 see\n", "1"},
    {"! X=1 see\n", "1"},
    {"y=$(X=1 see)\n", "1"},
    {"y=`X=1 see`\n", "1"},
    {"echo \"a $(X=1 see)\"\n", "1"},
    {"cat <(X=1 see)\n", "1"},
    {"(X=1 see; see)\n", "1 -"},
    {"(export X=1; see)\nsee\n", "1 -"},
    {"{ export X=1; see; }\nsee\n", "1 1"},
    {"GPU=1; export X=$GPU\nsee\n", "1"},
    {"GPU=1\nX=$GPU see\n", "1"},
    {"A=1; B=\"${A}\"\nexport X=\"$B,2\"\nsee\n", "1,2"},
    {"CARDS=(2 3)\nX=${CARDS[1]} see\n", "3"},
    {"f() { export X=$1; see; }\nf 1\n", "1"},
    {"f() { local g=${1:-2}; X=$g see; }\nf\nf 3\n", "2 3"},
    {"g() { X=$2 see; }\nf() { g a \"$@\"; }\nf 1\n", "1"},
    {"GPU=1\nf() { X=$GPU see; }\nf\n", "1"},
    {"f() { declare -x X=1; see; }\nf\nsee\n", "1 -"},
    {"for s in a b; do X=1 see $s; done\n", "1 1"},
    {"for g in 2; do export X=$g; see; done\n", "2"},
    {"declare -x X=1\nsee\n", "1"},
    {"typeset -x X=1\nsee\n", "1"},
    {"export A=1 X=0\nsee\n", "0"},
    {"export \"X=1\"\nsee\n", "1"},
    {"X=1 && export X\nsee\n", "1"},
    {"X=1\nsee\nexport X\nsee\n", "- 1"},
    {"export X\nX=1\nsee\n", "1"},
    {"set -a\nX=1\nset +a\nsee\n", "1"},
    {"readonly X=1\nexport X\nsee\n", "1"},
    {"export X=1 2>/dev/null\nsee\n", "1"},
    {"bash <<EOF\nX=1 see\nsee\nEOF\n", "1 -"},
    {"bash <<'EOF'\nsee\nexport X=1\nsee\nEOF\n", "- 1"},
    {"bash -s <<-EOF\n\tX=1 see\n\tEOF\n", "1"},
    {"cat <<EOF | bash\nX=1 see\nEOF\n", "1"},
    {"bash <<< \"X=1 see\"\n", "1"},
    {"bash -c 'X=1 see'\n", "1"},
    {"g=1; bash -c \"X=$g see\"\n", "1"},
    {"bash -c '\nsee\nX=1 see\nexport X=2\nsee\n'\n", "- 1 2"},
    {"env A=1 bash -ec 'export X=1; see'\n", "1"},
    {"g=1\neval \"X=$g see\"\n", "1"},
    {"true &&\n  export X=1\nsee\n", "1"},
    {"false &&\n  # one card\n\n  export X=1\nsee\n", "-"},
    {"false || export X=1\nsee\n", "1"},
    {"[ -z \"$A\" ] && export X=1\nsee\n", "1"},
    {"[ -n \"$A\" ] && export X=1\nsee\n", "-"},
    {"case a in\n  a) export X=1 ;;\n  *) export X=2 ;;\nesac\nsee\n", "1"},
    {"if true; then G=0; else G=1; fi\nexport X=$G\nsee\n", "0"},
    {"# weir: ignore[G10] ours\nexport X=1\nsee\n", "1"},
    {"see \\\n  # weir: ignore[G10] ours\nexport X=1\nsee\n", "- 1"},
    {"export X=1 \\\n  A=2\nsee\n", "1"},
    {"(export X=0; see) &\n(export X=1; see) &\nwait\n", "0 1"},
    {"export X=${X:=1}\nsee\n", "1"},
    {": \"${X:=1}\"\nexport X\nsee\n", "1"},
    {"cat <<EOF\n$(X=1 see)\nEOF\n", "1"},
    {"export X=1\r\nsee\r\n", nullptr},
    {"X=1 see\r\n", nullptr},
};

/// Scripts that are reported but left unchanged: an edit would change other commands, or is not known to have an
/// effect.
const std::vector<Script> kReportedOnly{
    {"X=1\nsee\n", "-"},
    {"bash -c \"export X=1; see\"\n", "1"},
    {"eval \"export X=1\"\nsee\n", "1"},
    {"export X=1\nsee\nunset X\nsee\n", "1 -"},
    {"\xEF\xBB\xBFX=1 see\n", nullptr},
    {"\xEF\xBB\xBF"
     "export X=1\nsee\n",
     nullptr},
};

class AuditShellScriptsRun : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists("/bin/bash")) GTEST_SKIP() << "bash is not installed";
    const std::string shebang = "#!/bin/bash\n";
    stub("see", shebang + "echo \"${CUDA_VISIBLE_DEVICES:--} ${CUDA_DEVICE_ORDER:--}\" >> \"$SEEN\"\n");
    stub("sudo", shebang + "while [ \"${1#-}\" != \"$1\" ]; do shift; done\nexec env \"$@\"\n");
  }

  /// Writes a program that the scripts run instead of the real one.
  void stub(const std::string& name, const std::string& text) {
    bin_.put(name, text);
    fs::permissions(bin_ / name, fs::perms::owner_all);
  }

  /// Returns "mask order" for each command that ran, sorted.
  std::vector<std::string> recorded_masks(const std::string& script) {
    const Folder folder;
    folder.put("run.sh", script);
    folder.put("seen", "");
    const auto ended = run_program({.arguments = {"env", "-i", "PATH=" + bin_.path().native() + ":/usr/bin:/bin",
                                                  "SEEN=" + (folder / "seen").native(), "bash", "run.sh"},
                                    .folder = folder.path()});
    EXPECT_TRUE(ended);
    std::istringstream lines{folder.text("seen")};
    std::vector<std::string> seen;
    for (std::string line; std::getline(lines, line);) seen.push_back(line);
    std::sort(seen.begin(), seen.end());
    return seen;
  }

  const Folder bin_;
};

std::string fix_script(const std::string& text, bool unsafe) {
  return apply_fixes({{"run.sh", text}}, Policy{}, unsafe).at("run.sh");
}

/// Returns the expected records of commands with these masks ("1 -": one has none): each mask has an order, and nothing
/// else has one.
std::vector<std::string> expected_records(const std::string& masks, const std::string& order) {
  std::istringstream words{masks};
  std::vector<std::string> lines;
  for (std::string mask; words >> mask;) lines.push_back(mask + ' ' + (mask == "-" ? "-" : order));
  std::sort(lines.begin(), lines.end());
  return lines;
}

TEST_F(AuditShellScriptsRun, AFixedScriptShowsTheSameMasksWithAnOrder) {
  ASSERT_GE(kFixed.size(), 25U);
  for (const Script& script : kFixed) {
    const std::string before = spelled(script.text);
    EXPECT_FALSE(findings_of({{"run.sh", before}}, Policy{}, {"G04"}).empty()) << before;
    if (script.seen != nullptr) {
      EXPECT_EQ(recorded_masks(before), expected_records(script.seen, "-")) << before;
    }
    for (const bool unsafe : {false, true}) {
      const std::string after = fix_script(before, unsafe);
      EXPECT_NE(after.find("CUDA_DEVICE_ORDER"), std::string::npos) << before;
      if (script.seen != nullptr) {
        EXPECT_EQ(recorded_masks(after), expected_records(script.seen, "PCI_BUS_ID")) << after;
      }
      EXPECT_EQ(fix_script(after, unsafe), after);
    }
  }
}

TEST_F(AuditShellScriptsRun, UnsafeEditsAreOnlyReported) {
  for (const Script& script : kReportedOnly) {
    const std::string before = spelled(script.text);
    EXPECT_FALSE(findings_of({{"run.sh", before}}, Policy{}, {"G04"}).empty()) << before;
    if (script.seen != nullptr) {
      EXPECT_EQ(recorded_masks(before), expected_records(script.seen, "-")) << before;
    }
    EXPECT_EQ(fix_script(before, false), before);
  }
}

TEST(AuditShellScripts, AMaskInTheArgumentsOfACommandIsReported) {
  for (const std::string command :
       {"srun -e X=0 train\n", "srun --export=ALL,X=0 train\n", "docker run -e X=0 image\n",
        "docker run --gpus all --env X=0 image\n", "docker run --env=X=0 image\n", "docker run -eX=0 image\n",
        "docker exec box env X=0 train\n", "sudo docker run -e \"X=0\" image\n", "mpirun -np 2 -x X=0 train\n",
        "make train X=0\n", "ssh host 'X=0 train'\n", "ssh host <<EOF\nX=0 train\nEOF\n",
        "g=0; docker run -e X=$g image\n", "f() { docker run -e X=$1 image; }\nf 0\n"})
    EXPECT_EQ(reported_lines(command, "G33").size(), 1U) << command;
  // A container that receives cards renumbers them.
  EXPECT_TRUE(reported_lines("docker run --gpus device=1 -e X=0 image\n", "G33").empty());
  EXPECT_TRUE(reported_lines("docker run -e X=0 image\n", "G04").empty());
}

TEST(AuditShellScripts, UnknownValuesAndDataAreNotReported) {
  for (const std::string script : {"export X=$1\n",
                                   "read -r g\nX=$g train\n",
                                   "X=$(pick) train\n",
                                   "g=0\nread g\nX=$g train\n",
                                   "g=0\nsource settings.sh\nX=$g train\n",
                                   "g=0\nf() { g=$1; }\nf 1\nX=$g train\n",
                                   "f() { X=$1 train; }\n",
                                   "f() { shift; X=$1 train; }\nf 0 1\n",
                                   "i=0\nwhile true; do X=$i train; i=$((i+1)); done\n",
                                   "for ((i=0; i<2; i++)); do X=$i train; done\n",
                                   "cat > job.sh <<EOF\nX=0 train\nEOF\n",
                                   "echo X=0 train\n",
                                   "log \"X=0\"\n",
                                   "log 'X=0 is used'\n",
                                   "grep X=0 file\n",
                                   "GPU=${GPU:-0}\nX=$GPU train\n",
                                   "g=0; printf -v g 3\nX=$g train\n",
                                   "bash -c 'X=$g train'\n",
                                   "g=0\nbash -c 'X=$g train'\n",
                                   "python run.py <<EOF\nX=0 train\nEOF\n",
                                   "sed -i 's/X=0/X=1/' file\n",
                                   "g=0\n(( g++ ))\nX=$g train\n",
                                   "bash <<EOF\nX=\\$g train\nEOF\n",
                                   "g=0\neval \"$line\"\nX=$g train\n"}) {
    EXPECT_TRUE(reported_lines(script, "G33").empty()) << script;
    EXPECT_TRUE(reported_lines(script, "G04").empty()) << script;
  }
}

TEST(AuditShellScripts, ConstantsAreFollowedThroughVariablesLoopsAndFunctions) {
  for (const std::string script :
       {"for g in 0 1; do X=$g train; done\n", "for g in {0..3}; do X=$g train; done\n",
        "for g in $(seq 0 3); do X=$g train; done\n", "CARDS=\"0 1\"\nfor g in $CARDS; do X=$g train; done\n",
        "CARDS=(0 1)\nfor g in \"${CARDS[@]}\"; do X=$g train; done\n",
        "f() { X=$1 train; }\nfor g in 0 1; do f $g; done\n", "f() { local g=\"$1\"; X=$g train; }\nf 0\n",
        "[ -z \"$A\" ] && g=0 || g=1\nX=0 train\n", "case $1 in a) g=0 ;; *) g=2 ;; esac\nX=$g train\n",
        "g=0\nsource venv/bin/activate\nX=$g train\n", "f() {\n  X=$g train\n}\ng=0\nf\n"})
    EXPECT_EQ(reported_lines(script, "G33").size(), 1U) << script;
  EXPECT_EQ(reported_lines("run() { X=$1 python a.py --device cuda:$1; }\nX=2 python a.py --device cuda:2\n", "G08"),
            Lines{"run.sh:2 G08"});
  EXPECT_EQ(reported_lines("env X=2 python a.py --device cuda:2\n", "G08"), Lines{"run.sh:1 G08"});
  EXPECT_EQ(reported_lines("g=2\nexport X=$g\npython a.py --device cuda:$g\n", "G08"), Lines{"run.sh:3 G08"});
}

TEST(AuditShellScripts, SchedulerRequestsAndNamesAreNoDevices) {
  for (const std::string command :
       {"srun --gres=gpu:1 python a.py", "sbatch --gres=gpu:2 job.sh", "srun --gres gpu:1 python a.py",
        "python a.py --tag gpu:1", "python a.py --name=cuda:1", "python a.py --run-name cuda:1",
        "srun --gpus=gpu:1 python a.py", "srun --gpus-per-node gpu:2 a", "srun --tres-per-task=gres/gpu:1 a",
        "srun -J cuda:1 python a.py", "docker run cuda:11 train", "docker build -t cuda:11 .", "module load cuda:11",
        "python a.py gpu:1"})
    EXPECT_EQ(reported_lines("export X=1\n" + command + "\n", "G08"), Lines{}) << command;
  for (const std::string command :
       {"srun --gres=gpu:1 python a.py --device cuda:1", "python a.py cuda:1", "python a.py --device gpu:1",
        "python a.py --gpu=gpu:1", "python a.py -d cuda:1", "python a.py trainer.device=cuda:1",
        "docker run image python a.py --device=cuda:1", "sbatch job.sh cuda:1", "python a.py device='cuda:1'"})
    EXPECT_EQ(reported_lines("export X=1\n" + command + "\n", "G08"), Lines{"run.sh:2 G08"}) << command;
}

TEST(AuditShellScripts, ADeviceWithTheNumberOfItsMaskIsReported) {
  const std::string use = "python t.py --device cuda:$i";
  for (const std::string loop : {"0 1 2", "{0..3}", "$(seq 3)", "$(seq 0 $N)", "$CARDS", "\"$@\""}) {
    const std::string head = "for i in " + loop + "; do\n";
    EXPECT_EQ(reported_lines(fmt::format("{}export X=$i\n{}\ndone\n", head, use), "G08"), Lines{"run.sh:3 G08"})
        << loop;
    EXPECT_EQ(reported_lines(fmt::format("{}X=$i {}\ndone\n", head, use), "G08"), Lines{"run.sh:2 G08"}) << loop;
  }
  for (const std::string chosen : {"${1:-0}", "$1", "${GPU:-0}", "$2", "${1:?which}"}) {
    const std::string head = "CARD=" + chosen + "\n";
    EXPECT_EQ(reported_lines(head + "export X=$CARD\npython t.py --device cuda:$CARD\n", "G08"), Lines{"run.sh:3 G08"});
    EXPECT_EQ(reported_lines(head + "X=$CARD python t.py --device cuda:$CARD\n", "G08"), Lines{"run.sh:2 G08"});
  }
  for (const std::string& script : {std::string{"for i in 0 1 2; do X=$i python t.py --device cuda:0; done\n"},
                                    "for i in 0; do X=$i " + use + "; done\n",
                                    "for m in 0,1 2,3; do for i in 0 1; do X=$m " + use + "; done; done\n",
                                    std::string{"X=$1 python t.py --device cuda:$2\n"},
                                    std::string{"export X=$1\nshift\npython t.py --device cuda:$1\n"},
                                    std::string{"GPU=$1\nexport X=$GPU\nGPU=0\npython t.py --device cuda:$GPU\n"},
                                    std::string{"GPU=$1\nexport X=$GPU\nread GPU\npython t.py --device cuda:$GPU\n"},
                                    "for i in $A; do export X=$i; done\nfor i in $B; do " + use + "; done\n"})
    EXPECT_EQ(reported_lines(script, "G08"), Lines{}) << script;
}

TEST(AuditShellScripts, AnUnknownDeviceIsTheSameUntilItIsOverwritten) {
  const std::string use = "X=$i python t.py --device cuda:$i";
  for (const std::string& script : std::vector<std::string>{
           "while read -r i; do " + use + "; done < f\n", "for ((i = 0; i < 4; i++)); do " + use + "; done\n",
           "i=$(pick)\n" + use + "\n", "i=\"$(pick)\"\nexport X=$i\npython t.py --device cuda:$i\n",
           "read i\n" + use + "\n", "f() { X=$1 python t.py --device cuda:$1; }\nf 2\n",
           "f() { X=$1 python t.py --device cuda:$1; }\nf $CARD\n",
           "f() { local g=$1; X=$g python t.py --device cuda:$g; }\nfor i in 0 1; do f $i; done\n"})
    EXPECT_EQ(reported_lines(script, "G08").size(), 1U) << script;
  for (const std::string& script : std::vector<std::string>{
           std::string{"i=$(pick)\nexport X=$i\ni=$(pick)\npython t.py --device cuda:$i\n"},
           "while read i; do export X=$i; read i; python t.py --device cuda:$i; done\n",
           "i=$(pick)\nX=$i python t.py --device cuda:$j\n", "i=0\nwhile a; do X=$i b; i=$((i+1)); c cuda:$i; done\n",
           std::string{"f() { X=$1 python t.py --device cuda:$1; }\nf 0\n"},
           std::string{"f() { X=$1 python t.py --device cuda:$1; }\n"}})
    EXPECT_EQ(reported_lines(script, "G08"), Lines{}) << script;
}

TEST(AuditShellScripts, AMaskOfAnotherCardIsFixedInPlace) {
  const auto after = [](const std::string& text) {
    const Files files{{"run.sh", spelled(text)}};
    const Folder folder;
    put_files(folder, files);
    EXPECT_TRUE(fix_files({.operands = {folder.path().native()}, .policy = one_device_policy(), .select = {"G33"}},
                          {.unsafe = true, .write = true}));
    return folder.text("run.sh");
  };
  EXPECT_EQ(after("export X=0  # ours\n"), spelled("export X=1  # ours\n"));
  EXPECT_EQ(after("export X=\"2,3\"\n"), spelled("export X=\"2,3\"\n"));
  EXPECT_EQ(after("export X=\"2\"\n"), spelled("export X=\"1\"\n"));
  EXPECT_EQ(after("X=0 train\n"), spelled("X=1 train\n"));
  EXPECT_EQ(after("env X=0 train\n"), spelled("env X=0 train\n"));
  // Another machine has its own policy, and a container its own numbers.
  for (const std::string text : {"ssh host 'X=0 train'\n", "docker run -e X=0 image\n", "g=0\nexport X=$g\n"})
    EXPECT_EQ(after(text), spelled(text));
}

TEST(AuditShellScripts, SeparateProcessesDoNotContradictEachOther) {
  EXPECT_TRUE(reported_lines("(export X=0; a) &\n(export X=1; b) &\n", "G06").empty());
  EXPECT_TRUE(reported_lines("export X=0\n(export X=1; b)\na\n", "G06").empty());
  EXPECT_TRUE(reported_lines("bash -c 'export X=0; a'\nbash -c 'export X=1; a'\n", "G06").empty());
  EXPECT_TRUE(
      findings_of({{"run.sh", "ROCR_VISIBLE_DEVICES=1 a\nHIP_VISIBLE_DEVICES=1 b\n"}}, Policy{}, {"G27"}).empty());
  const std::string both = "ROCR_VISIBLE_DEVICES=1 HIP_VISIBLE_DEVICES=1 b\n";
  EXPECT_EQ(findings_of({{"run.sh", both}}, Policy{}, {"G27"}).size(), 1U);
  EXPECT_EQ(apply_fixes({{"run.sh", both}}, Policy{}, true).at("run.sh"), both);
}

TEST(AuditShellScripts, AnOrderIsForTheMasksVendor) {
  EXPECT_EQ(fix_script("ZE_AFFINITY_MASK=1 train\n", false),
            "ZE_ENABLE_PCI_ID_DEVICE_ORDER=${ZE_ENABLE_PCI_ID_DEVICE_ORDER:-1} ZE_AFFINITY_MASK=1 train\n");
  EXPECT_EQ(fix_script("HIP_VISIBLE_DEVICES=1 train\n", false), "HIP_VISIBLE_DEVICES=1 train\n");
}

TEST(AuditShellScripts, AContainerWithoutSelectedCardsRenumbersNone) {
  const auto with_cards = [](const std::string& cards) {
    return findings_of({{"a.sh", "docker run -e NVIDIA_VISIBLE_DEVICES=" + cards + " -e CUDA_VISIBLE_DEVICES=1 img\n"}},
                       Policy{}, {"G28"});
  };
  EXPECT_EQ(with_cards("1"), Lines{"a.sh:1 G28"});
  EXPECT_EQ(with_cards("1,2"), Lines{});
  for (const std::string cards : {"all", "none", "void", ""}) EXPECT_EQ(with_cards(cards), Lines{}) << cards;
}

TEST(AuditShellScripts, AScriptThatReadsTheMaskMayRespectIt) {
  const auto after = [](const std::string& reading) {
    return findings_of({{"a.sh", reading + "\nexport CUDA_VISIBLE_DEVICES=GPU-1\npython a.py\n"}}, Policy{}, {"G10"});
  };
  for (const std::string reading :
       {"echo \"$CUDA_VISIBLE_DEVICES\"", "echo ${CUDA_VISIBLE_DEVICES:-none}", "test -v CUDA_VISIBLE_DEVICES && exit"})
    EXPECT_EQ(after(reading), Lines{}) << reading;
  // A longer name is another variable, and a name without "$" is not read.
  for (const std::string reading :
       {"echo $CUDA_VISIBLE_DEVICES_OLD", "echo ${MY_CUDA_VISIBLE_DEVICES}", "echo sets CUDA_VISIBLE_DEVICES"})
    EXPECT_EQ(after(reading), Lines{"a.sh:2 G10"}) << reading;
  EXPECT_EQ(findings_of({{"a.sh", "export CUDA_VISIBLE_DEVICES=$CUDA_VISIBLE_DEVICES_OLD,1\npython a.py\n"}}, Policy{},
                        {"G10"}),
            Lines{});
}

TEST(AuditShellScripts, AByteOrderMarkHidesNothing) {
  EXPECT_EQ(reported_lines("\xEF\xBB\xBFX=0 train\n", "G33"), Lines{"run.sh:1 G33"});
  EXPECT_EQ(findings_of({{"job", spelled("\xEF\xBB\xBF#!/bin/bash\nX=0 train\n")}}, one_device_policy(), {"G33"}),
            Lines{"job:2 G33"});
  const Folder folder;
  folder.put("run.sh", spelled("\xEF\xBB\xBF# weir: ignore[G04] ours\nexport X=1\n"));
  const auto audit = run_audit({.operands = {folder.path().native()}, .select = {"G04"}});
  ASSERT_TRUE(audit);
  ASSERT_EQ(audit->findings.size(), 1U);
  EXPECT_TRUE(audit->findings.front().suppressed);
  EXPECT_EQ(fix_script(spelled("\xEF\xBB\xBF#!/bin/bash\r\nexport X=1\r\n"), false),
            spelled("\xEF\xBB\xBF#!/bin/bash\r\nexport CUDA_DEVICE_ORDER=\"${CUDA_DEVICE_ORDER:-PCI_BUS_ID}\"\r\n"
                    "export X=1\r\n"));
}

TEST(AuditShellScripts, HugeScriptsAreReadInBoundedTime) {
  std::string doubling = "A=0,\n";
  for (int i = 0; i < 60; ++i) doubling += "A=$A$A\n";
  EXPECT_TRUE(reported_lines(doubling + "X=$A train\n", "G33").empty());
  std::string names = "f() {\n";
  for (int i = 0; i < 500; ++i) names += fmt::format("  echo $n{}\n", i);
  names += "  X=$1 train\n}\n";
  for (int i = 0; i < 500; ++i) names += fmt::format("n{}=1\nif a; then f 0; else n{}=2; fi\n", i, i);
  EXPECT_EQ(reported_lines(names, "G33").size(), 1U);
  std::string nested;
  for (int i = 0; i < 50; ++i) nested += fmt::format("for g{} in 0 1; do ", i);
  nested += "X=$g49 train; ";
  for (int i = 0; i < 50; ++i) nested += "done; ";
  EXPECT_EQ(reported_lines(nested + "\n", "G33").size(), 1U);
}

}  // namespace
}  // namespace weir::audit
