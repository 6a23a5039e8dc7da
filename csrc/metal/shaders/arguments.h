// Argument structs that shaders and host share. Types that mean the same in both: `unsigned long` has 64 bits, `unsigned int` 32.
#pragma once

// Element types of a buffer.
enum ElementFormat { element_unorm8, element_unorm16, element_half, element_float };

// Pictures in a buffer, channels last, and the part of them that lies in slices of a texture, four channels a slice.
struct TransferArguments {
  unsigned long offset;       // of the first pixel, bytes
  unsigned long image_bytes;  // from picture to picture
  unsigned long row_bytes;
  unsigned int format;  // ElementFormat
  unsigned int channels;
  unsigned int x, y, width, height;               // part of each picture
  unsigned int first_channel, last_channel;       // the last is behind them
  unsigned int first_image, images;
  unsigned int slices;                            // of one picture in the texture
  unsigned int first_layer;                       // slice of the texture that holds the first of them
};

// Rows of a batch of matrices of half or float.
struct ScaleArguments {
  unsigned long offset, matrix_bytes, row_bytes;  // bytes
  unsigned int format;                            // element_half or element_float
  unsigned int rows, columns, matrices;
  float factor;  // 0 writes zeros, whatever was there
};

// Rows of a batch of matrices to those of another, each half or float.
struct RowsArguments {
  unsigned long src_offset, src_matrix_bytes, src_row_bytes;  // bytes
  unsigned long dst_offset, dst_matrix_bytes, dst_row_bytes;
  unsigned int src_format, dst_format;  // element_half or element_float
  unsigned int rows, columns, matrices;
  unsigned int adds;  // to what is there
};

// One triangle of a square matrix of float, with its diagonal, to another's.
struct TriangleArguments {
  unsigned long src_row_bytes;  // bytes
  unsigned long dst_offset, dst_row_bytes;
  unsigned int order;
  unsigned int is_lower;
};

// Where a factorization's status goes.
struct StatusArguments {
  unsigned long offset;
};

// Indices of rows below `count`.
struct PivotArguments {
  unsigned long offset;
  unsigned int count;
};

// From texture to texture.
struct CopyArguments {
  unsigned int width, height, layers;
};

// Weighted sums along one axis of a picture: pixel (x, y) of the target, from `target_x` and `target_y` on, takes those around
// source pixel (x + source_x, y + source_y).
struct WeighArguments {
  unsigned int width, height;  // of what is written
  unsigned int target_x, target_y;
  int source_x, source_y;
  unsigned int source_width, source_height;
  unsigned int count;      // weights, odd
  unsigned int is_column;  // else the sums go along rows
  unsigned int is_zero;    // beyond the border lie zeros, else the nearest pixel
};

// Random numbers for the elements of a batch of matrices, four bytes each.
enum RandomKind { random_words, random_uniform, random_normal };
struct RandomArguments {
  unsigned long offset, matrix_bytes, row_bytes;  // bytes
  unsigned long first, count, blocks;             // words of the sequence: the first one, how many, and blocks of four that hold them
  unsigned long rows, columns;
  unsigned int width;                             // of the grid, in blocks
  unsigned int kind;                              // RandomKind
  unsigned int key_low, key_high;
  float range, minimum;                           // uniform
  float first_part, span, sign, mean, deviation;  // normal
  float least, most;
};

// Rows of a matrix of four-byte elements to those of another, whatever the elements mean.
struct WordsArguments {
  unsigned long src_offset, src_row_bytes, dst_offset, dst_row_bytes;  // bytes
  unsigned int rows, columns;
};

// Keypoints as MPS left them, and where they and their counts go.
struct KeypointsArguments {
  unsigned long dst_offset, dst_row_bytes, counts_offset;  // bytes
  unsigned int regions, maximum;
};

// Segments as MPS left them, and where they and their number go.
struct EndpointsArguments {
  unsigned long dst_offset, dst_row_bytes, count_offset;  // bytes
  unsigned int maximum;
};
