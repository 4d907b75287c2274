/*
 * The update of the running image, on the bare board only: what a device does with a delta patch,
 * with the files of the test host in place of the network and of the second flash slot.
 */
#ifndef UPDATE_SELFTEST_H
#define UPDATE_SELFTEST_H

/* Exit statuses; the errors of the patch decoder (fota_patch.h) are exit statuses as well. */
#define UPDATE_SELFTEST_OK 0
#define UPDATE_SELFTEST_USAGE 64      /* "apply" without exactly two file names */
#define UPDATE_SELFTEST_NO_PATCH 65   /* the patch file cannot be opened */
#define UPDATE_SELFTEST_NO_NEW_FILE 66 /* the new file cannot be created */
#define UPDATE_SELFTEST_PATCH_READ 67 /* the patch file cannot be read to its end */

/*
 * Look for "<any word> apply <patch-file> <new-file>" in the semihosting command line. If it is
 * there, apply the patch to the image in flash, write the new image to the new file and print one
 * line with the result; after a failure the new file is removed. File names hold no spaces.
 *
 * Returns the exit status, UPDATE_SELFTEST_OK also when there is nothing to do.
 */
int update_selftest_run(void);

#endif
