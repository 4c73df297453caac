#pragma once

#include <cstddef>
#include <istream>
#include <map>
#include <string>
#include <vector>

namespace weir::observe {

/// What the events of one run tell, in seconds since its start. Made from lines of an event log; lines that are no events
/// are counted and passed over.
struct RunStory {
  struct Span {
    std::string device, item, result, variant, error, damaged;
    double from = 0, to = 0;
  };
  struct Sample {
    double at = 0, bytes = 0;
  };
  struct Remark {
    double at = 0;
    std::string level, event, text;
  };
  std::string started;  ///< time of the run's first event
  double length = 0;
  bool ended = false;                    ///< the run came to its end; else it was killed or still lives
  std::map<std::string, double> totals;  ///< numbers of the last event
  std::vector<Span> spans;
  std::map<std::string, std::vector<Sample>> memory;  ///< by device; "coordinator" beside
  std::vector<Remark> remarks;                        ///< warnings and errors, the first thousand
  std::size_t unreadable = 0;
};

/// The last run in the log.
RunStory read_story(std::istream& lines);

/// One HTML document that needs nothing else: totals, a timeline of devices and items, curves of memory, failed items,
/// warnings.
std::string story_html(const RunStory& story);

/// Seconds since 1970 of "2026-11-21T14:30:00.123Z"; 0 if it is no such text.
double seconds_of(const std::string& timestamp);

}  // namespace weir::observe
