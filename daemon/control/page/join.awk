# SPDX-License-Identifier: Apache-2.0
# Joins the page: page.css behind <style>, and each script in the place of the comment that names it.

function insert(file,    line, r) {
    while ((r = (getline line < file)) > 0) print line
    if (r < 0) { print "cannot read " file > "/dev/stderr"; exit 1 }
    close(file)
}

/^\/\/ [a-z]+\.js$/ { insert(dir "/" $2); next }
{ print }
/^<style>$/ { insert(dir "/page.css") }
