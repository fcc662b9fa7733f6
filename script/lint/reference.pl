# docs/reference.md is what script/reference makes of the extension's script.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Lint;
use Reference;

my $page = 'docs/reference.md';
problem($page, undef, 'not up to date: run script/reference')
  unless -e root() . "/$page" && read_file($page) eq reference();

finish();
