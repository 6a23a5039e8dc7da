// Declared beside this folder: the table that its headers are compared with knows Metal and MPS alone.
#pragma once
#import "../../system/CoreGraphics.h"
