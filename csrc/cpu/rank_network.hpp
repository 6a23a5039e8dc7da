#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

// Medians of square windows as a list of minima and maxima, planned once for a diameter and run for every register of pixels: any
// format, and a time that grows with the diameter, not its square. After A. Adams, "Fast median filters using separable sorting
// networks", 2021: neighbouring windows share most of their elements, so what they share is put in order once.
//
// A tile of tile x tile windows begins with the elements that are in all of them, in order; then halves itself again and again, each half
// adding, in order too, the columns or rows that all of its windows have and the other half's have not. What so many elements lie above
// or below that it cannot be the middle one of diameter^2 is dropped at once, so what is carried gets shorter on the way. Blocks of columns
// are put in order from shorter blocks, which tiles beside each other share.
namespace mpskit::cpu {

// Both of a pair in order. Places are bytes from where a register of tiles begins.
struct RankExchange {
  std::int32_t a, b, low, high;
};
// The lowest of the higher ones of pairs [begin, end): the element of one rank in two lists. After so many exchanges of the program.
struct RankSelection {
  std::int64_t after;
  std::int32_t begin, end, to;
};
struct RankPair {
  std::int32_t a, b;
};
// One list for each register of tiles, in a row of them; `more` pixels beyond the row's end are needed later.
struct RankProgram {
  std::vector<RankExchange> exchanges;
  std::vector<RankSelection> selections;
  std::vector<RankPair> pairs;
  std::int64_t more = 0;
};

// Rows in memory, `pitch` bytes apart. Row y * tile + p, y < source_rows, is to hold of the source row y the pixels p, p + tile,
// p + 2 * tile, ...: first come the windows' upper rows. Row first_result + y * tile + p will hold the medians in the same order.
struct RankNetwork {
  struct Unit {
    std::int64_t pixel_bytes, register_bytes, pixels;  // a row of `pixels` tiles, each as many elements as a pixel has
  };
  RankNetwork(std::int64_t diameter, std::int64_t tile, const Unit& unit);

  std::int64_t diameter, tile, source_rows, source_pixels;  // pixels: of each of the `tile` rows that a source row becomes
  std::int64_t pitch, first_result = 0, bytes = 0;
  std::vector<RankProgram> programs;  // in this order
};

}  // namespace mpskit::cpu
