#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

namespace mpskit::metal {

// Rows and columns of a product that one MPSMatrixMultiplication takes.
struct Tile {
  std::int64_t row, column, rows, columns;
};

// Results with (rows + 2 * interior) * columns elements of 2^31 bytes and more were seen to have bands of NaN on M1 and M2 (a
// report to Metal.jl, 381): larger products go in tiles that stay below half of that. No size is 0.
inline std::vector<Tile> product_tiles(std::int64_t rows, std::int64_t columns, std::int64_t interior, std::int64_t element_bytes,
                                       std::int64_t most_bytes = std::int64_t{1} << 30) {
  const std::int64_t most = most_bytes / element_bytes;
  std::int64_t tile_rows = rows, tile_columns = columns;
  if (rows + 2 * interior > most / columns) {
    tile_columns = std::clamp<std::int64_t>(most / (4 * interior), 1, columns);
    tile_rows = std::clamp<std::int64_t>(most / tile_columns - 2 * interior, 1, rows);
  }
  std::vector<Tile> tiles;
  for (std::int64_t row = 0; row < rows; row += tile_rows)
    for (std::int64_t column = 0; column < columns; column += tile_columns)
      tiles.push_back({row, column, std::min(tile_rows, rows - row), std::min(tile_columns, columns - column)});
  return tiles;
}

}  // namespace mpskit::metal
