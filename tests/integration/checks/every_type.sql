CREATE TABLE every_type (
  id bigint NOT NULL, code varchar(20) COLLATE utf8mb4_0900_bin NOT NULL,
  t tinyint, tu tinyint unsigned, s smallint, su smallint unsigned, m mediumint, mu mediumint unsigned,
  i int, iu int unsigned, iz int(10) zerofill, b bigint, bu bigint unsigned, flag tinyint(1),
  d0 decimal(10,0), d3 decimal(10,3), d38 decimal(38,10), `Real` float, f2 float(8,2), dbl double, d2 double(12,2),
  bit1 bit(1), bit8 bit(8), bit63 bit(63), bit64 bit(64),
  c char(10), vc varchar(120), latin_v varchar(60) CHARACTER SET latin1, tt tinytext, tx text, mt mediumtext, lt longtext,
  en enum('', 'small', 'BIG', '次日達'), st set('a', 'b', 'c'),
  bin binary(6), vb varbinary(40), tb tinyblob, bl blob, mb mediumblob, lb longblob,
  da date, dt datetime, dt3 datetime(3), dt6 datetime(6), ts timestamp NULL, ts6 timestamp(6) NULL,
  ti time, ti6 time(6), y year, js json, empty_text varchar(10), `mixedCase` varchar(10), `odd"na``me {x}` int,
  PRIMARY KEY (id, code)
) DEFAULT CHARSET = utf8mb4;
CREATE TABLE by_text (
  code varchar(40) NOT NULL, day date NOT NULL, note varchar(100), PRIMARY KEY (code, day)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_0900_as_cs;
