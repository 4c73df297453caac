// Whether int16 is exact enough is found out on the first run of a network and remembered. Neither the plan, nor the
// peak, nor the result shows whether it was.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <fstream>
#include <string>
#include <vector>

#include "networks/generate_network.hpp"
#include "pictures.hpp"
#include "program.hpp"

namespace weir::test {
namespace {

using Json = nlohmann::json;

class CliPrecision : public ::testing::Test {
 protected:
  /// Large weights and small pictures: the check's share of the memory is the largest there.
  void SetUp() override {
    const GeneratedNetwork made = generate_network("rrdb_x4", {.channels = 64, .blocks = 6});
    folder_.put("nets/rrdb.param", made.param);
    folder_.put("nets/rrdb.bin", std::string{reinterpret_cast<const char*>(made.bin.data()), made.bin.size()});
    ASSERT_TRUE(write_picture(folder_ / "a.png", 48, 40, 3));
  }
  ProgramResult upscale(const std::string& output, std::vector<std::string> words) const {
    ProgramOptions how{.folder = folder_.path(), .variables = {{"XDG_CACHE_HOME", folder_ / "cache"}}};
    words.insert(words.begin(), {"upscale", "a.png", "-o", output, "--model", "nets/rrdb.param", "--threads", "2",
                                 "--json", "--overwrite", "--no-checkpoints"});
    return run(words, how);
  }
  /// With nothing remembered.
  ProgramResult cold(const std::string& output, const std::vector<std::string>& words) const {
    fs::remove_all(folder_ / "cache");
    return upscale(output, words);
  }
  static Json item_of(const ProgramResult& ended) {
    Json json = Json::parse(ended.out.substr(0, ended.out.find('\n')), nullptr, false);
    EXPECT_TRUE(json.is_object()) << ended.out << ended.error;
    return json;
  }
  Folder folder_;
};

TEST_F(CliPrecision, ThePlanThePeakAndTheResultAreTheSameColdAndWarm) {
  const Json cold_plan = item_of(cold("b.png", {"--ram", "1G", "--dry-run"}));
  EXPECT_TRUE(fs::exists(folder_ / "cache" / "weir" / "precision"));
  const Json warm_plan = item_of(upscale("b.png", {"--ram", "1G", "--dry-run"}));
  EXPECT_EQ(cold_plan["precision"], warm_plan["precision"]);
  EXPECT_EQ(cold_plan["plan"]["multiplications"], warm_plan["plan"]["multiplications"]);
  EXPECT_EQ(cold_plan["plan"]["expected_seconds"], warm_plan["plan"]["expected_seconds"]);
  // What the process has before the plan varies by some pages from start to start.
  EXPECT_NEAR(cold_plan["plan"]["ram_bytes"].get<double>(), warm_plan["plan"]["ram_bytes"].get<double>(), 1.5e6);

  for (const bool is_cold : {true, false}) {
    if (is_cold) fs::remove_all(folder_ / "cache");
    const ProgramResult ended = upscale(is_cold ? "cold.png" : "warm.png", {"--ram", "1G"});
    ASSERT_EQ(ended.status, 0) << ended.error;
    const Json item = item_of(ended);
    EXPECT_LE(item["peak_bytes"].get<std::uint64_t>(), item["plan"]["ram_bytes"].get<std::uint64_t>()) << is_cold;
  }
  EXPECT_EQ(folder_.text("cold.png"), folder_.text("warm.png"));
}

TEST_F(CliPrecision, ALimitIsRefusedOrKeptColdAndWarmAlike) {
  const auto planned =
      item_of(upscale("b.png", {"--ram", "1G", "--dry-run"}))["plan"]["ram_bytes"].get<std::uint64_t>() >> 20;
  bool kept = false;
  bool refused = false;
  for (std::uint64_t part = 30; part <= 110; part += 8) {
    const std::uint64_t limit = planned * part / 100;
    const std::vector<std::string> words{"--ram", std::to_string(limit) + "M"};
    const ProgramResult first = cold("b.png", words);
    const ProgramResult second = upscale("b.png", words);
    EXPECT_EQ(first.status, second.status) << limit << " MiB\n" << first.error << second.error;
    (first.status == 0 ? kept : refused) = true;
    for (const ProgramResult& ended : {first, second}) {
      if (ended.status != 0) continue;
      EXPECT_LE(item_of(ended)["peak_bytes"].get<std::uint64_t>(), limit << 20) << limit << " MiB";
    }
  }
  EXPECT_TRUE(kept && refused);
}

}  // namespace
}  // namespace weir::test
