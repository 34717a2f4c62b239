package analysis

import (
	"strings"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/sqlparse"
)

// A functionClass says what the result of a function depends on.
type functionClass uint8

const (
	// unlisted functions may do anything.
	unlisted functionClass = iota
	// scalar functions are of their arguments alone. So are aggregates, of many rows, and
	// rowsFunction ones, which return any number of rows.
	scalar
	aggregate
	rowsFunction
	// volatile functions depend on more than data and arguments, and write no data that a
	// statement reads: sequences, locks and notifications.
	volatile
	// setting functions read the session's settings.
	setting
	// clock functions of SQLite are of their arguments, unless one of these is 'now', or
	// none is there.
	clock
	// setsConfig is set_config.
	setsConfig
	// asks functions read anything, and write nothing.
	asks
)

// builtins are the functions of the databases themselves that are known here, by dialect.
// A function that is missing is unlisted.
var builtins = map[catalog.Dialect]map[string]functionClass{
	catalog.SQLite: classes(map[functionClass]string{
		scalar: commonScalars + ` char concat concat_ws format glob hex ifnull iif if instr json json_array
			json_array_length json_error_position json_extract json_insert json_object json_patch
			json_pretty json_quote json_remove json_replace json_set json_type json_valid jsonb
			jsonb_array jsonb_extract jsonb_insert jsonb_object jsonb_patch jsonb_remove
			jsonb_replace jsonb_set like likelihood likely ltrim printf quote rtrim soundex
			sqlite_version strftime substr substring trim typeof unhex unicode unistr
			unistr_quote unlikely zeroblob bm25 highlight snippet offsets matchinfo`,
		aggregate: `avg count group_concat json_group_array json_group_object
			jsonb_group_array jsonb_group_object max median min percentile percentile_cont
			percentile_disc string_agg sum total`,
		rowsFunction: `json_each json_tree jsonb_each jsonb_tree generate_series`,
		volatile: asking + ` changes current_date current_time current_timestamp last_insert_rowid random
			randomblob total_changes`,
		asks: `pragma_application_id pragma_data_version pragma_foreign_key_check pragma_freelist_count pragma_integrity_check
			pragma_page_count pragma_quick_check pragma_schema_version pragma_user_version`,
		clock: `date datetime julianday strftime time timediff unixepoch`,
	}),
	catalog.PostgreSQL: classes(map[functionClass]string{
		scalar: commonScalars + ` age array_append array_cat array_dims array_fill array_length array_lower
			array_ndims array_position array_positions array_prepend array_remove array_replace
			array_reverse array_sort array_to_json array_to_string array_to_tsvector array_upper
			ascii bit_count bit_length bool btrim cardinality casefold cbrt ceil ceiling char_length
			character_length chr concat concat_ws convert convert_from convert_to cosd cotd cot
			date date_bin date_part date_trunc daterange decode degrees encode erf
			hashtext hashtextextended merge_action pg_column_size pg_size_bytes pg_size_pretty extract factorial float4 float8 format gcd get_bit get_byte greatest
			inet_merge inet_same_family initcap int2 int4 int4range int8 int8range
			int4multirange int8multirange nummultirange datemultirange tsmultirange tstzmultirange
			isempty isfinite json_array json_array_length json_build_array json_build_object
			json_exists json_extract_path json_extract_path_text json_object json_query json_scalar
			json_serialize json_strip_nulls json_typeof json_valid json_value jsonb_array_length
			jsonb_build_array jsonb_build_object jsonb_concat jsonb_contains jsonb_exists
			jsonb_exists_all jsonb_exists_any jsonb_extract_path jsonb_extract_path_text
			jsonb_insert jsonb_object jsonb_path_exists jsonb_path_match jsonb_path_query_array
			jsonb_path_query_first jsonb_pretty jsonb_set jsonb_set_lax jsonb_strip_nulls
			jsonb_typeof justify_days justify_hours justify_interval lcm left length like
			lower_inc lower_inf lpad ltrim make_date make_interval make_time make_timestamp
			make_timestamptz md5 min_scale multirange normalize num_nonnulls num_nulls numeric
			numnode numrange overlay parse_ident phraseto_tsquery plainto_tsquery position
			pg_typeof quote_ident quote_literal quote_nullable querytree radians range_merge
			regexp_count regexp_instr regexp_like regexp_match regexp_replace regexp_split_to_array
			regexp_substr repeat reverse right row row_to_json rpad rtrim scale set_bit
			set_byte setweight sha224 sha256 sha384 sha512 sind split_part sqrt starts_with
			string_to_array strip strpos substr substring tand text to_ascii to_bin to_char to_date
			to_hex to_json to_jsonb to_number to_oct to_timestamp to_tsquery to_tsvector translate
			trim trim_array trim_scale ts_delete ts_filter ts_headline ts_rank ts_rank_cd
			ts_rewrite tsquery_phrase tsrange tstzrange tsvector_to_array unistr upper_inc upper_inf
			uuid uuid_extract_timestamp uuid_extract_version version websearch_to_tsquery
			width_bucket xmlelement xmlforest xmlserialize
			abbrev broadcast family host hostmask masklen netmask network set_masklen
			area bound_box box center circle diagonal diameter height isclosed isopen line lseg
			npoints path point polygon popen pclose radius slope width
			date_add date_subtract bigint int integer varchar timestamp timestamptz interval
			varbit bpchar name json jsonb
			acosd asind atan2d atand div is_normalized textlen like_escape similar_to_escape timezone overlaps
			enum_first enum_last enum_range pg_input_is_valid pg_lsn cash_words
			json_to_tsvector jsonb_to_tsvector ts_lexize xmlcomment xml_is_well_formed
			xml_is_well_formed_content xml_is_well_formed_document xpath xpath_exists
			jsonb_path_exists_tz jsonb_path_match_tz jsonb_path_query_array_tz jsonb_path_query_first_tz
			getdatabaseencoding pg_client_encoding`,
		aggregate: `any_value array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count
			covar_pop covar_samp every json_agg json_agg_strict json_arrayagg json_object_agg
			json_object_agg_strict json_object_agg_unique json_objectagg jsonb_agg
			jsonb_agg_strict jsonb_object_agg jsonb_object_agg_strict jsonb_object_agg_unique
			max min mode percentile_cont percentile_disc range_agg range_intersect_agg
			regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy
			regr_syy stddev stddev_pop stddev_samp string_agg sum var_pop var_samp variance
			xmlagg grouping`,
		rowsFunction: `generate_series generate_subscripts json_array_elements
			json_array_elements_text json_each json_each_text json_object_keys
			json_populate_record json_populate_recordset json_table json_to_record
			json_to_recordset jsonb_array_elements jsonb_array_elements_text jsonb_each
			jsonb_each_text jsonb_object_keys jsonb_path_query jsonb_path_query_tz jsonb_populate_record
			jsonb_populate_recordset jsonb_to_record jsonb_to_recordset regexp_matches
			regexp_split_to_table string_to_table unnest`,
		volatile: `clock_timestamp current_date current_query current_time current_timestamp
			currval gen_random_uuid lastval localtime localtimestamp nextval now
			pg_advisory_lock pg_advisory_lock_shared pg_advisory_unlock pg_advisory_unlock_all
			pg_advisory_unlock_shared pg_advisory_xact_lock pg_advisory_xact_lock_shared
			col_description format_type has_any_column_privilege has_column_privilege
			has_database_privilege has_function_privilege has_schema_privilege has_sequence_privilege
			has_table_privilege inet_server_addr inet_server_port obj_description pg_blocking_pids
			pg_conf_load_time pg_current_snapshot pg_current_wal_lsn
			pg_encoding_to_char pg_function_is_visible pg_get_constraintdef pg_get_expr pg_get_functiondef
			pg_get_indexdef pg_get_serial_sequence pg_get_triggerdef pg_get_userbyid pg_get_viewdef
			pg_has_role pg_last_wal_receive_lsn pg_last_wal_replay_lsn
			pg_last_xact_replay_timestamp pg_postmaster_start_time pg_table_is_visible pg_type_is_visible pg_wal_lsn_diff shobj_description to_regclass
			to_regnamespace to_regproc to_regprocedure to_regrole to_regtype txid_current_snapshot
			pg_backend_pid pg_current_xact_id pg_current_xact_id_if_assigned pg_is_in_recovery
			pg_notify pg_sleep pg_sleep_for pg_sleep_until pg_trigger_depth pg_try_advisory_lock
			pg_try_advisory_lock_shared pg_try_advisory_xact_lock
			pg_try_advisory_xact_lock_shared random random_normal setseed setval
			array_sample array_shuffle has_foreign_data_wrapper_privilege has_language_privilege
			has_parameter_privilege has_server_privilege has_tablespace_privilege has_type_privilege
			pg_collation_for pg_column_is_updatable pg_get_function_arguments
			pg_get_function_identity_arguments pg_get_function_result pg_get_keywords pg_get_partkeydef
			pg_get_ruledef pg_jit_available pg_my_temp_schema pg_relation_is_updatable pg_safe_snapshot_blocking_pids
			pg_sequence_last_value pg_timezone_names pg_visible_in_snapshot pg_xact_status row_security_active
			to_regcollation to_regoper to_regoperator txid_status txid_visible_in_snapshot
			statement_timestamp timeofday transaction_timestamp txid_current
			txid_current_if_assigned uuidv4 uuidv7`,
		setting: `current_catalog current_database current_role current_schema current_schemas
			current_setting current_user inet_client_addr inet_client_port session_user
			system_user user`,
		setsConfig: `set_config`,
		asks: `pg_database_size pg_indexes_size pg_relation_size pg_table_size pg_tablespace_size
			pg_total_relation_size`,
	}),
}

// asking are SQLite's functions for pragmas that ask about definitions.
const asking = `pragma_collation_list pragma_compile_options pragma_database_list pragma_foreign_key_list pragma_function_list
	pragma_index_info pragma_index_list pragma_index_xinfo pragma_module_list pragma_page_size pragma_pragma_list
	pragma_table_info pragma_table_list pragma_table_xinfo`

const commonScalars = `abs acos acosh asin asinh atan atan2 atanh ceil ceiling coalesce cos
	cosh cume_dist degrees dense_rank exp first_value floor lag last_value lead length ln
	log log10 log2 lower mod nth_value ntile nullif octet_length percent_rank pi pow power
	radians rank replace round row_number sign sin sinh sqrt tan tanh trunc upper`

func classes(lists map[functionClass]string) map[string]functionClass {
	out := map[string]functionClass{}
	for class, names := range lists {
		for name := range strings.FieldsSeq(names) {
			out[name] = max(out[name], class)
		}
	}
	return out
}

// class returns what a function depends on. user says that users have defined a function
// of this name, which then may be what is called.
func (z *analyzer) class(name string) (class functionClass, user bool) {
	schema, bare := "", name
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		schema, bare = name[:i], name[i+1:]
	}
	class = builtins[z.c.Dialect][bare]
	if schema == "pg_catalog" && z.c.Dialect == catalog.PostgreSQL {
		return class, false
	}
	f, user := z.c.Functions[bare]
	switch {
	case user && f.Made:
		return volatile, true
	case user && !f.Pure:
		return unlisted, true
	case user && (class == unlisted || schema != ""):
		return scalar, true
	case user:
		return class, true
	case schema != "":
		return unlisted, false
	}
	return class, false
}

// quiet reports whether a function that is not known is one of users which writes nothing.
func (z *analyzer) quiet(name string) bool {
	schema, bare, qualified := strings.Cut(name, ".")
	if !qualified {
		bare = schema
	}
	return z.c.Functions[bare].Quiet && schema != "pg_catalog"
}

// call notes what a function's result depends on. It fails for a function that is not
// known: it may read and write anything.
func (z *analyzer) call(f *sqlparse.Call) {
	class, _ := z.class(f.Name)
	switch class {
	case unlisted:
		fail("function %s is not known", f.Name)
	case asks:
		fail("function %s reads anything", f.Name)
	case volatile:
		z.volatile(f.Name)
	case setting:
		z.setting(settingName(f))
	case clock:
		if readsClock(f) {
			z.volatile(f.Name)
		}
	case setsConfig:
		z.config(f)
	case scalar:
		if bare := strings.TrimPrefix(f.Name, "pg_catalog."); bare == "age" && len(f.Args) == 1 {
			z.volatile(f.Name) // to the current date
		} else if bare == "ts_rewrite" && len(f.Args) != 3 {
			fail("function ts_rewrite runs a query") // the text of which is its argument
		}
	}
}

// readsClock reports whether a function of SQLite may read the time: without a time to
// start from, and with 'now', which a parameter may hold, too. The time is taken from a
// column or a literal.
func readsClock(f *sqlparse.Call) bool {
	times := f.Args[:min(1, len(f.Args))]
	switch f.Name {
	case "strftime":
		times = f.Args[min(1, len(f.Args)):min(2, len(f.Args))]
	case "timediff":
		times = f.Args
	}
	for _, x := range times {
		if l, ok := x.(*sqlparse.Literal); ok && strings.EqualFold(strings.TrimSpace(l.Text), "now") || !ok && !isColumn(x) {
			return true
		}
	}
	return len(times) == 0
}

func isColumn(x sqlparse.Expr) bool {
	_, ok := x.(*sqlparse.Column)
	return ok
}

// settingName is the setting that a function reads: "*" when the statement does not say.
func settingName(f *sqlparse.Call) string {
	bare := f.Name[strings.LastIndexByte(f.Name, '.')+1:]
	if bare != "current_setting" {
		return bare
	}
	if len(f.Args) > 0 {
		if name, ok := plainText(f.Args[0]); ok {
			return strings.ToLower(name)
		}
	}
	return "*"
}

// plainText returns the value of a string literal, which views have with a cast.
func plainText(x sqlparse.Expr) (string, bool) {
	if c, ok := x.(*sqlparse.Cast); ok && c.Type == "text" {
		x = c.X
	}
	l, ok := x.(*sqlparse.Literal)
	if !ok || l.Null || l.Number || l.Odd {
		return "", false
	}
	return l.Text, true
}

// config notes a call of set_config.
func (z *analyzer) config(f *sqlparse.Call) {
	c := SetConfig{Name: "*"}
	if len(f.Args) == 3 {
		if name, ok := plainText(f.Args[0]); ok {
			c.Name = strings.ToLower(name)
		}
		if v, ok := z.source(f.Args[1]); ok {
			c.Value = &v.Source
		}
		if l, ok := f.Args[2].(*sqlparse.Literal); ok {
			c.Local = strings.EqualFold(l.Text, "true")
			c.Sure = c.Local || strings.EqualFold(l.Text, "false")
		}
	}
	z.out.SetConfigs = append(z.out.SetConfigs, c)
}

// configs leaves those calls of set_config sure that are the statement: without rows to be
// called for, it is called once, and one in an expression may not be.
func (z *analyzer) configs(q *sqlparse.Query) {
	calls := 0
	for i := range q.Items {
		if f, ok := q.Items[i].X.(*sqlparse.Call); ok {
			if class, _ := z.class(f.Name); class == setsConfig {
				calls++
			}
		}
	}
	plain := len(q.With) == 0 && len(q.From) == 0 && len(q.Compound) == 0 && len(q.Group) == 0 && q.Values == nil && !q.Distinct &&
		q.Where == nil && q.Having == nil && q.Limit == nil && q.Offset == nil && calls == len(q.Items)
	for i := range z.out.SetConfigs {
		c := &z.out.SetConfigs[i]
		c.Sure = c.Sure && plain && calls == len(z.out.SetConfigs)
	}
}
