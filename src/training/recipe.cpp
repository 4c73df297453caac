#include "training/recipe.hpp"

#include <set>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "base/text.hpp"

namespace weir::training {

namespace {

/// Reads the keys of a TOML table by name and keeps the first error. string(), integer() and number() change `value`
/// only if the table has the key. finish() reports keys of the table that were never requested.
class Table {
 public:
  Table(const toml::table& table, std::string file) : table_{table}, file_{std::move(file)} {}

  void string(std::string_view key, std::string& value) {
    if (const toml::node* node = find(key)) {
      if (const auto* found = node->as_string())
        value = found->get();
      else
        report_error(*node, fmt::format("'{}' must be a text", key));
    }
  }
  template <class T>
  void integer(std::string_view key, T& value, std::int64_t minimum, std::int64_t maximum) {
    if (const toml::node* node = find(key)) {
      const auto* found = node->as_integer();
      if (found != nullptr && found->get() >= minimum && found->get() <= maximum)
        value = static_cast<T>(found->get());
      else
        report_error(*node, fmt::format("'{}' must be a whole number from {} to {}", key, minimum, maximum));
    }
  }
  template <class T>
  void number(std::string_view key, T& value, double minimum, double maximum) {
    if (const toml::node* node = find(key)) {
      const auto found = node->value<double>();
      if (node->is_number() && found && *found >= minimum && *found <= maximum)
        value = static_cast<T>(*found);
      else
        report_error(*node, fmt::format("'{}' must be a number from {} to {}", key, minimum, maximum));
    }
  }
  /// Returns the table with this name; an empty table if there is none, or if the value is no table (an error).
  const toml::table& table(std::string_view key) {
    static const toml::table kNone;
    const toml::node* node = find(key);
    if (node == nullptr) return kNone;
    if (const auto* found = node->as_table()) return *found;
    report_error(*node, fmt::format("'{}' must be a table: write [{}]", key, key));
    return kNone;
  }
  /// Reports the error `what` at the key, or at the table if it has no such key, if `valid` is false.
  void expect(bool valid, std::string_view key, const std::string& what) {
    if (!valid) report_error(table_.contains(key) ? *table_.get(key) : table_, what);
  }

  /// Returns the first error; an unknown key is an error too.
  Status finish() {
    for (const auto& [key, node] : table_) {
      if (!requested_.contains(std::string{key.str()}))
        report_error(node, fmt::format("unknown key '{}'", printable(key.str())));
    }
    return status_;
  }

 private:
  const toml::node* find(std::string_view key) {
    requested_.emplace(key);
    return table_.get(key);
  }
  void report_error(const toml::node& node, const std::string& what) {
    if (status_)
      status_ = Error{Errc::invalid_argument, fmt::format("{}:{}: {}", file_, node.source().begin.line, what)};
  }

  const toml::table& table_;
  std::string file_;
  std::set<std::string> requested_;
  Status status_ = ok();
};

Status read_structure(Table table, Recipe::Structure& structure) {
  table.integer("scale", structure.scale, 2, 4);
  table.integer("channels", structure.channels, 1, 256);
  table.integer("layers", structure.layers, 0, 64);
  return table.finish();
}

Status read_data(Table table, int scale, Recipe::Data& data) {
  table.number("comics", data.comics_share, 0, 1);
  table.number("clean", data.clean_share, 0, 1);
  table.integer("side", data.side_px, 32, 2048);
  table.integer("per_picture", data.patches_per_picture, 1, 1024);
  table.integer("patch", data.patch_px, 8, 512);
  table.integer("batch", data.batch_size, 1, 1024);
  table.expect(data.side_px % scale == 0, "side", fmt::format("'side' must be a multiple of the scale, {}", scale));
  table.expect(data.patch_px * scale <= data.side_px, "patch",
               fmt::format("'patch' is {} pixels, but a small picture only {}", data.patch_px, data.side_px / scale));
  return table.finish();
}

Status read_learning(Table table, Recipe::Learning& learning) {
  table.string("loss", learning.loss);
  table.expect(learning.loss == "charbonnier" || learning.loss == "l1" || learning.loss == "mse", "loss",
               "'loss' must be charbonnier, l1 or mse");
  table.number("rate", learning.rate, 1e-9, 1);
  table.number("floor", learning.min_rate, 0, 1);
  table.integer("warm_up", learning.warm_up_steps, 0, 1'000'000);
  table.number("average", learning.ema_decay, 0, 0.999999);
  table.integer("steps", learning.steps, 1, 1'000'000'000);
  table.integer("look_every", learning.validation_interval, 1, 1'000'000'000);
  return table.finish();
}

Status read_final_phase(Table table, Recipe::FinalPhase& final_phase) {
  table.number("part", final_phase.steps_share, 0, 1);
  table.number("rate", final_phase.rate, 1e-9, 1);
  table.number("clean", final_phase.clean_share, 0, 1);
  return table.finish();
}

}  // namespace

Result<Recipe> parse_recipe(std::string_view text, const std::string& name) {
  toml::table parsed;
  try {
    parsed = toml::parse(text);
  } catch (const toml::parse_error& error) {
    return Error{Errc::invalid_argument,
                 fmt::format("{}:{}: {}", name, error.source().begin.line, printable(error.description()))};
  }
  Recipe recipe;
  Table table{parsed, name};
  table.string("name", recipe.name);
  table.expect(!recipe.name.empty() && recipe.name.find_first_of("/\n") == std::string::npos, "name",
               "'name' must be a file name: not empty, without '/'");
  table.integer("seed", recipe.seed, 0, (std::int64_t{1} << 32) - 1);
  table.string("about", recipe.about);
  if (auto read = read_structure({table.table("structure"), name}, recipe.structure); !read) return read.error();
  if (auto read = read_data({table.table("data"), name}, recipe.structure.scale, recipe.data); !read)
    return read.error();
  if (auto read = read_learning({table.table("learning"), name}, recipe.learning); !read) return read.error();
  if (auto read = read_final_phase({table.table("ending"), name}, recipe.final_phase); !read) return read.error();
  if (auto read = table.finish(); !read) return read.error();
  return recipe;
}

}  // namespace weir::training
