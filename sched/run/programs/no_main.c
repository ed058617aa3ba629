// SPDX-License-Identifier: Apache-2.0
int not_main(void) {
  return 0;
}
