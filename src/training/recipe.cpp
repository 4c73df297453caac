#include "training/recipe.hpp"

#include <set>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "base/text.hpp"

namespace weir::training {

namespace {

/// Takes the keys of one table by name; what nobody asked for is an error.
class Table {
 public:
  Table(const toml::table& table, std::string file) : table_{table}, file_{std::move(file)} {}

  void text(std::string_view key, std::string& value) {
    if (const toml::node* node = find(key)) {
      if (const auto* given = node->as_string())
        value = given->get();
      else
        complain(*node, fmt::format("'{}' must be a text", key));
    }
  }
  template <class T>
  void whole(std::string_view key, T& value, std::int64_t least, std::int64_t most) {
    if (const toml::node* node = find(key)) {
      const auto* given = node->as_integer();
      if (given != nullptr && given->get() >= least && given->get() <= most)
        value = static_cast<T>(given->get());
      else
        complain(*node, fmt::format("'{}' must be a whole number from {} to {}", key, least, most));
    }
  }
  template <class T>
  void number(std::string_view key, T& value, double least, double most) {
    if (const toml::node* node = find(key)) {
      const auto given = node->value<double>();
      if (node->is_number() && given && *given >= least && *given <= most)
        value = static_cast<T>(*given);
      else
        complain(*node, fmt::format("'{}' must be a number from {} to {}", key, least, most));
    }
  }
  /// Empty if there is none.
  const toml::table& table(std::string_view key) {
    static const toml::table kNone;
    const toml::node* node = find(key);
    if (node == nullptr) return kNone;
    if (const auto* given = node->as_table()) return *given;
    complain(*node, fmt::format("'{}' must be a table: write [{}]", key, key));
    return kNone;
  }
  void expect(bool right, std::string_view key, const std::string& what) {
    if (!right) complain(table_.contains(key) ? *table_.get(key) : table_, what);
  }

  Status finish() {
    for (const auto& [key, node] : table_) {
      if (!asked_.contains(std::string{key.str()}))
        complain(node, fmt::format("unknown key '{}'", printable(key.str())));
    }
    return problem_;
  }

 private:
  const toml::node* find(std::string_view key) {
    asked_.emplace(key);
    return table_.get(key);
  }
  void complain(const toml::node& node, const std::string& what) {
    if (problem_)
      problem_ = Error{Errc::invalid_argument, fmt::format("{}:{}: {}", file_, node.source().begin.line, what)};
  }

  const toml::table& table_;
  std::string file_;
  std::set<std::string> asked_;
  Status problem_ = ok();
};

Status read_structure(Table table, Recipe::Structure& structure) {
  table.whole("scale", structure.scale, 2, 4);
  table.whole("channels", structure.channels, 1, 256);
  table.whole("layers", structure.layers, 0, 64);
  return table.finish();
}

Status read_data(Table table, int scale, Recipe::Data& data) {
  table.number("comics", data.comics, 0, 1);
  table.number("clean", data.clean, 0, 1);
  table.whole("side", data.side, 32, 2048);
  table.whole("per_picture", data.per_picture, 1, 1024);
  table.whole("patch", data.patch, 8, 512);
  table.whole("batch", data.batch, 1, 1024);
  table.expect(data.side % scale == 0, "side", fmt::format("'side' must be a multiple of the scale, {}", scale));
  table.expect(data.patch * scale <= data.side, "patch",
               fmt::format("a patch of {} pixels is cut from {}", data.patch, data.side / scale));
  return table.finish();
}

Status read_learning(Table table, Recipe::Learning& learning) {
  table.text("loss", learning.loss);
  table.expect(learning.loss == "charbonnier" || learning.loss == "l1" || learning.loss == "mse", "loss",
               "'loss' must be charbonnier, l1 or mse");
  table.number("rate", learning.rate, 1e-9, 1);
  table.number("floor", learning.floor, 0, 1);
  table.whole("warm_up", learning.warm_up, 0, 1'000'000);
  table.number("average", learning.average, 0, 0.999999);
  table.whole("steps", learning.steps, 1, 1'000'000'000);
  table.whole("look_every", learning.look_every, 1, 1'000'000'000);
  return table.finish();
}

Status read_ending(Table table, Recipe::Ending& ending) {
  table.number("part", ending.part, 0, 1);
  table.number("rate", ending.rate, 1e-9, 1);
  table.number("clean", ending.clean, 0, 1);
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
  table.text("name", recipe.name);
  table.expect(!recipe.name.empty() && recipe.name.find_first_of("/\n") == std::string::npos, "name",
               "'name' must be fit for a file");
  table.whole("seed", recipe.seed, 0, (std::int64_t{1} << 32) - 1);
  table.text("about", recipe.about);
  if (auto read = read_structure({table.table("structure"), name}, recipe.structure); !read) return read.error();
  if (auto read = read_data({table.table("data"), name}, recipe.structure.scale, recipe.data); !read)
    return read.error();
  if (auto read = read_learning({table.table("learning"), name}, recipe.learning); !read) return read.error();
  if (auto read = read_ending({table.table("ending"), name}, recipe.ending); !read) return read.error();
  if (auto read = table.finish(); !read) return read.error();
  return recipe;
}

}  // namespace weir::training
