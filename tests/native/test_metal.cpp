#include "support.hpp"

#include <array>

#include "metal/linalg/product_tiles.hpp"

// What the Metal engine decides without Metal.
using mpskit::metal::product_tiles;

TEST_CASE("products too large for one MPSMatrixMultiplication go in tiles") {
  constexpr std::int64_t most = 1 << 20;
  for (const auto& [rows, columns, interior] : {std::array<std::int64_t, 3>{1, 1, 1}, {512, 256, 128}, {4096, 4096, 1}, {3, 100000, 7},
                                                {100000, 3, 7}, {5, 5, 300000}, {700, 900, 1100}, {1, 1 << 21, 1}, {1 << 21, 1, 1}}) {
    const auto tiles = product_tiles(rows, columns, interior, 4, most);
    std::int64_t covered = 0;
    for (const auto& t : tiles) {
      CHECK(t.rows > 0);
      CHECK(t.columns > 0);
      CHECK(t.row + t.rows <= rows);
      CHECK(t.column + t.columns <= columns);
      CHECK(((t.rows + 2 * interior) * t.columns * 4 <= most || (t.columns == 1 && 2 * interior * 4 > most / 2)));
      covered += t.rows * t.columns;
    }
    CHECK(covered == rows * columns);  // within bounds and as many: they do not overlap, as rows and columns step by whole tiles
  }
  CHECK(product_tiles(4096, 4096, 4096, 4).size() == 1);
  CHECK(product_tiles(16384, 16384, 16384, 4).size() > 1);
}
