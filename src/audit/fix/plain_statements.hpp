#pragma once

#include <map>
#include <memory>

#include "audit/event.hpp"
#include "audit/module.hpp"
#include "audit/project/project.hpp"

namespace weir::audit {

// What can be proved of neighbouring statements by their text alone, without following calls. A plain statement changes no
// environment that the program can see and leads nowhere else: a constant given to a name, a constant written to a variable of the
// environment, a docstring, the definition of a function, the import of a well-known library that no file of the project
// hides. Everything else, and every file of another language than Python and shell, is not plain.

/// Whether a write may stand above the line of `first`, two statements of the outermost block of Python code.
enum class MoveSafety {
  no,  ///< it names more than os.environ and literals, does not stand below `first`, or passes what reads the variable
  unproved,  ///< it means the same there; what it would pass may notice
  yes        ///< it passes plain statements alone, and no other write of the same variable
};

/// Answers for the files of one project, which must stand as long. A file is parsed once, when it is first asked about. One thread.
class PlainStatements {
 public:
  explicit PlainStatements(const Project& project);
  ~PlainStatements();
  PlainStatements(const PlainStatements&) = delete;
  PlainStatements& operator=(const PlainStatements&) = delete;

  /// The write repeats one of the same statement list of the outermost block, to the same constant, and only plain
  /// statements stand between the two: without it every program sees the same.
  bool is_plain_repeat(const Module& module, const Event& write);
  MoveSafety move_safety(const Module& module, Range target, const Event& write);
  /// Nothing above the write in its file is known to write the variable, or may write it unseen. Of shell scripts all statements above
  /// are plain, or commands such as `cd` and `set`.
  bool is_first_write(const Module& module, const Event& write);

 private:
  struct File;
  const File& parsed_file(const Module& module);

  const Project& project_;
  std::map<const Module*, std::unique_ptr<File>> files_;
};

}  // namespace weir::audit
