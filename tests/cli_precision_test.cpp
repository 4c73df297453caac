// Tests of the built program: at the first use of a network weir checks whether int16 is exact enough, and stores the
// answer in the user's cache folder. Plan, peak memory and result must be the same without ("cold") and with ("warm") a
// stored answer.

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
  /// Large weights and a small picture, with which the check needs the largest share of the memory.
  void SetUp() override {
    const GeneratedNetwork made = generate_network("rrdb_x4", {.channels = 64, .blocks = 6});
    folder_.put("nets/rrdb.param", made.param);
    folder_.put("nets/rrdb.bin", std::string{reinterpret_cast<const char*>(made.bin.data()), made.bin.size()});
    ASSERT_TRUE(write_picture(folder_ / "a.png", 48, 40, 3));
  }
  ProgramResult upscale(const std::string& output, std::vector<std::string> arguments) const {
    ProgramOptions options{.folder = folder_.path(), .variables = {{"XDG_CACHE_HOME", folder_ / "cache"}}};
    arguments.insert(arguments.begin(), {"upscale", "a.png", "-o", output, "--model", "nets/rrdb.param", "--threads",
                                         "2", "--json", "--overwrite", "--no-checkpoints"});
    return run(arguments, options);
  }
  /// Removes the stored answer, and runs weir.
  ProgramResult upscale_cold(const std::string& output, const std::vector<std::string>& arguments) const {
    fs::remove_all(folder_ / "cache");
    return upscale(output, arguments);
  }
  static Json item_of(const ProgramResult& result) {
    Json json = Json::parse(result.out.substr(0, result.out.find('\n')), nullptr, false);
    EXPECT_TRUE(json.is_object()) << result.out << result.error;
    return json;
  }
  Folder folder_;
};

TEST_F(CliPrecision, ThePlanThePeakAndTheResultAreTheSameColdAndWarm) {
  const Json cold_plan = item_of(upscale_cold("b.png", {"--ram", "1G", "--dry-run"}));
  EXPECT_TRUE(fs::exists(folder_ / "cache" / "weir" / "precision"));
  const Json warm_plan = item_of(upscale("b.png", {"--ram", "1G", "--dry-run"}));
  EXPECT_EQ(cold_plan["precision"], warm_plan["precision"]);
  EXPECT_EQ(cold_plan["plan"]["multiplications"], warm_plan["plan"]["multiplications"]);
  EXPECT_EQ(cold_plan["plan"]["expected_seconds"], warm_plan["plan"]["expected_seconds"]);
  // The memory that the process uses before it plans varies by some pages at each start.
  EXPECT_NEAR(cold_plan["plan"]["ram_bytes"].get<double>(), warm_plan["plan"]["ram_bytes"].get<double>(), 1.5e6);

  for (const bool is_cold : {true, false}) {
    if (is_cold) fs::remove_all(folder_ / "cache");
    const ProgramResult result = upscale(is_cold ? "cold.png" : "warm.png", {"--ram", "1G"});
    ASSERT_EQ(result.status, 0) << result.error;
    const Json item = item_of(result);
    EXPECT_LE(item["peak_bytes"].get<std::uint64_t>(), item["plan"]["ram_bytes"].get<std::uint64_t>()) << is_cold;
  }
  EXPECT_EQ(folder_.text("cold.png"), folder_.text("warm.png"));
}

TEST_F(CliPrecision, AMemoryLimitIsRefusedOrKeptAlikeColdAndWarm) {
  const auto planned =  // in MiB
      item_of(upscale("b.png", {"--ram", "1G", "--dry-run"}))["plan"]["ram_bytes"].get<std::uint64_t>() >> 20;
  bool kept = false;
  bool refused = false;
  for (std::uint64_t percent = 30; percent <= 110; percent += 8) {
    const std::uint64_t limit = planned * percent / 100;
    const std::vector<std::string> arguments{"--ram", std::to_string(limit) + "M"};
    const ProgramResult first = upscale_cold("b.png", arguments);
    const ProgramResult second = upscale("b.png", arguments);
    EXPECT_EQ(first.status, second.status) << limit << " MiB\n" << first.error << second.error;
    (first.status == 0 ? kept : refused) = true;
    for (const ProgramResult& result : {first, second}) {
      if (result.status != 0) continue;
      EXPECT_LE(item_of(result)["peak_bytes"].get<std::uint64_t>(), limit << 20) << limit << " MiB";
    }
  }
  EXPECT_TRUE(kept && refused);
}

}  // namespace
}  // namespace weir::test
