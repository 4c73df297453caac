#pragma once

#include <map>
#include <memory>

#include "audit/event.hpp"
#include "audit/module.hpp"
#include "audit/project/project.hpp"

namespace weir::audit {

// Decides from the text of statements alone, without following calls, whether an edit of a write (a statement that sets
// an environment variable) is safe. The outermost block is the statements that are in no function, class or branch. A
// plain statement runs no other code of the project and writes at most the environment variable that its text names: it
// assigns a constant to a name, sets an environment variable to a constant, is a docstring, defines a function, or
// imports a well-known library whose name no file or folder of the project has. All other statements, and all
// statements of files that are neither Python nor shell, are not plain.

/// Whether a write can be moved up, above the line of another statement.
enum class MoveSafety {
  no,        ///< the write consists of more than os.environ and literals, is not below the other statement, or would
             ///< pass code that may read the variable or give `os` another meaning
  unproved,  ///< the write means the same at the new position, but the statements that it passes may depend on it
  yes        ///< the write passes only plain statements, and no other write of the same variable
};

/// Checks writes in the files of one project, which must outlive the object. Each file is parsed once, at its first
/// use. Not thread-safe.
class PlainStatements {
 public:
  explicit PlainStatements(const Project& project);
  ~PlainStatements();
  PlainStatements(const PlainStatements&) = delete;
  PlainStatements& operator=(const PlainStatements&) = delete;

  /// Returns whether an earlier write of the outermost block sets the same variable to the same constant, with only
  /// plain statements between the two writes. Then deleting `write` changes nothing for any program.
  bool is_plain_repeat(const Module& module, const Event& write);
  /// Returns whether the write can be moved above the line of the statement with the range `target`; both are
  /// statements of the outermost block.
  MoveSafety move_safety(const Module& module, Range target, const Event& write);
  /// Returns whether the write is certainly the first write of its variable in its file. In Python the text above must
  /// contain neither the variable's name nor a call that can write any variable, such as os.environ.update(). In a
  /// shell script each statement above must be a plain statement that does not write this variable, or a command such
  /// as `cd` or `set -e`.
  bool is_first_write(const Module& module, const Event& write);

 private:
  struct File;  ///< the statements of one file
  /// Returns the statements of the module's file; parses the file at the first call.
  const File& parsed_file(const Module& module);

  const Project& project_;
  std::map<const Module*, std::unique_ptr<File>> files_;
};

}  // namespace weir::audit
